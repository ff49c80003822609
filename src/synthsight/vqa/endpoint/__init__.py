"""Models behind OpenAI's chat completions: asking them, and keeping what they say."""
