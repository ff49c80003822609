"""The embedded miniature world: drawn images, a small label space and four small classifiers.

No pretrained weights can travel with the repository, so it carries an experiment of the same
kind as Borji (2022) that anyone can make again from one seed:

- ``demo.sketch``   vector parts and the pen that collects them
- ``demo.shapes``   what each thing looks like, drawn once, in no particular style
- ``demo.styles``   how a style puts those parts on pixels: ``photo``, ``poster``, ``crayon``
- ``demo.world``    the label space, the categories, composition and seeds
- ``demo.train``    classifiers trained on ``photo`` alone, then shown the other two styles

``poster`` and ``crayon`` play the part of the paper's two image generators, ``photo`` that of
the photographs that ImageNet models were trained on. Drawing needs Pillow and numpy only.
"""
