"""How a question is put to a model that converses, and how its answer may begin.

The same for networks that run here and for those behind an endpoint. Imports no network.
"""

from __future__ import annotations

#: What is put unless the configuration says otherwise; ``{question}`` stands for the question.
PROMPT = "{question} Answer yes or no."

#: What a model sees that sees nothing: the middle of what a pixel may be.
GREY = (128, 128, 128)

#: How a word may be written as the first token of an answer, and what vocabularies write for the
#: blank before it.
_SPELLINGS = ("{}", " {}", "\u0120{}", "\u2581{}", "\u010a{}", "\n{}")


def text_for(prompt: str, question: str) -> str:
    """The text that is put: a prompt with the question in its place."""
    return prompt.replace("{question}", question)


def spellings(word: str) -> frozenset[str]:
    """The single tokens that are a word, in any case, perhaps with a blank before it."""
    written = (word, word.capitalize(), word.upper())
    return frozenset(form.format(text) for form in _SPELLINGS for text in written)
