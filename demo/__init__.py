"""The embedded miniature world: drawn images, classifiers of them, and questions about them.

No pretrained weights can travel with the repository, so it carries an experiment of the same
kind as Borji (2022) that anyone can make again from one seed:

- ``demo.sketch``      vector parts and the pen that collects them
- ``demo.shapes``      what each thing looks like, drawn once, in no particular style
- ``demo.styles``      how a style puts those parts on pixels: ``photo``, ``poster``, ``crayon``
- ``demo.world``       the label space, the categories, composition and seeds
- ``demo.train``       classifiers trained on ``photo`` alone, then shown the other two styles
- ``demo.train_clip``  a small CLIP trained on ``photo`` and captions, asked with classes' names
- ``demo.histograms``  a classifier that is no network; its predictions come as a file
- ``demo.vqa_scenes``  pictures of several things whose content is known
- ``demo.questions``   yes/no questions about them
- ``demo.train_vqa``   what is common to the training of models that answer them
- ``demo.train_ofa``   a small OFA trained to answer them, on ``photo`` alone as well
- ``demo.train_chat``  a small LLaVA, likewise

``poster`` and ``crayon`` play the part of the paper's two image generators, ``photo`` that of
the photographs that ImageNet models were trained on. Drawing needs Pillow and numpy only.
"""
