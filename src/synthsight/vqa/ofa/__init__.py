"""OFA for visual question answering, written from the paper (Wang et al. 2022, arXiv 2202.03052).

"OFA: Unifying Architectures, Tasks, and Modalities Through a Simple Sequence-to-Sequence Learning
Framework". Everything is a sequence of tokens that a transformer translates into another: here, an
image and a question into an answer. A guide for a reader with the paper open:

=====================  ==============================================================
module                 where in the paper
=====================  ==============================================================
:mod:`.config`         section 3.5, Table 1: the sizes; settings of published checkpoints
:mod:`.resnet`         section 3.1, the image stem
:mod:`.positions`      section 3.1, position biases, kept out of the embeddings
:mod:`.layers`         section 3.1, attention with head scaling, NormFormer's norms
:mod:`.encoder`        section 3.1, patches and tokens in one sequence
:mod:`.decoder`        section 3.1, answers token by token, with cached keys and values
:mod:`.model`          the whole model, and its weights
:mod:`.tokenizer`      section 3.1, byte-level BPE
:mod:`.processing`     the published evaluation on VQA v2: question, prompt and pixels
:mod:`.answers`        section 3.4, the trie; yes/no, all candidates, beam search
:mod:`.checkpoint`     published checkpoints, of all five sizes
=====================  ==============================================================

From a checkpoint to the probability of "yes"::

    config, state = load_checkpoint("ofa-base")
    model = build(config, state)
    tokenizer = OFATokenizer.from_folder("ofa-base")
    pixels = torch.from_numpy(prepare_image(image, config.image_side))[None]
    features = model.embed_images(pixel_values(pixels))        # once for all questions
    sources = [source(tokenizer, "Is there a dog in the image?")]
    yes, no = tokenizer.single(" yes"), tokenizer.single(" no")
    logits = yes_no_logits(model, features, [0], sources, yes, no, "none")
    p_yes = logits.sigmoid()

Only inference is supported: there is no dropout, and image generation is left out.
"""
