"""The texts of the goldens. Each stands for a way in which a tokenizer or a long text goes wrong."""

FOX = "The quick brown fox jumps over the lazy dog."
ESSAY = (
    "A lighthouse keeper writes down the weather every evening. The wind comes from the west, the sea is grey, and a "
    "small boat with red sails passes the rocks on its way home. In the village below, lamps are lit one after another "
    "and somebody plays an old song on the accordion. "
)


def word_count(text: str, count: int) -> str:
    words = text.split()
    return " ".join(words[i % len(words)] for i in range(count))


TEXTS = [
    # the curl scripts and the README
    "A simple sentence",
    "The quick brown fox jumps over the lazy dog",
    "First text for embeddings",
    "Second text for embeddings",
    "Third text for embeddings",
    "First text",
    "Second text",
    "Hi! This is a test",
    "What is Deep Learning?",
    # one token, and next to none
    "a",
    "hello",
    ".",
    " ",
    "\n",
    "\u200b",
    "\u0000",
    "[CLS]",
    "[MASK] [SEP] [PAD]",
    # English of all lengths
    FOX,
    "fox",
    "Dogs are loyal animals and good friends.",
    "How do I reset the password of my account?",
    "To reset your password, open the settings page and choose 'Forgot password'.",
    "The stock market fell by 3.2% on Tuesday after the central bank raised interest rates.",
    "Photosynthesis converts light energy into chemical energy stored in sugars.",
    ESSAY.strip(),
    (ESSAY * 2).strip(),
    word_count(ESSAY, 100),
    word_count(ESSAY, 200),
    word_count(ESSAY, 240),
    word_count(ESSAY, 300),
    word_count(ESSAY, 400),
    word_count("one two three four five six seven eight nine ten", 254),  # 256 tokens
    word_count("one two three four five six seven eight nine ten", 255),  # 257 tokens
    word_count("one two three four five six seven eight nine ten", 510),  # 512 tokens: all positions
    # case, accents, casing rules that change the length
    "THE QUICK BROWN FOX JUMPS OVER THE LAZY DOG.",
    "Caf\u00e9 na\u00efve \u00c5ngstr\u00f6m \u00fcber fa\u00e7ade",
    "Cafe\u0301 nai\u0308ve A\u030angstro\u0308m",
    "\u0130stanbul I\u015f\u0131k \u1e9e \ufb01ne \ufb03 \u01c5",
    "Z\u0335\u0351\u0350a\u0334\u0309l\u0336\u030dg\u0337\u0313o\u0338\u0312",
    # scripts
    "\u0411\u044b\u0441\u0442\u0440\u0430\u044f \u043a\u043e\u0440\u0438\u0447\u043d\u0435\u0432\u0430\u044f \u043b\u0438\u0441\u0430 \u043f\u0440\u044b\u0433\u0430\u0435\u0442 \u0447\u0435\u0440\u0435\u0437 \u043b\u0435\u043d\u0438\u0432\u0443\u044e \u0441\u043e\u0431\u0430\u043a\u0443",
    "\u654f\u6377\u7684\u68d5\u8272\u72d0\u72f8\u8df3\u8fc7\u61d2\u72d7",
    "\u7d20\u65e9\u3044\u8336\u8272\u306e\u72d0\u304c\u6020\u3051\u8005\u306e\u72ac\u3092\u98db\u3073\u8d8a\u3048\u308b\u3002\u30ab\u30bf\u30ab\u30ca",
    "\ube60\ub978 \uac08\uc0c9 \uc5ec\uc6b0\uac00 \uac8c\uc73c\ub978 \uac1c\ub97c \ub6f0\uc5b4\ub118\ub294\ub2e4",
    "\u0627\u0644\u062b\u0639\u0644\u0628 \u0627\u0644\u0628\u0646\u064a \u0627\u0644\u0633\u0631\u064a\u0639 \u064a\u0642\u0641\u0632 \u0641\u0648\u0642 \u0627\u0644\u0643\u0644\u0628 \u0627\u0644\u0643\u0633\u0648\u0644",
    "\u05d4\u05e9\u05d5\u05e2\u05dc \u05d4\u05d7\u05d5\u05dd \u05d4\u05de\u05d4\u05d9\u05e8",
    "\u0924\u0947\u091c\u093c \u092d\u0942\u0930\u0940 \u0932\u094b\u092e\u0921\u093c\u0940 \u0906\u0932\u0938\u0940 \u0915\u0941\u0924\u094d\u0924\u0947 \u0915\u0947 \u090a\u092a\u0930 \u0915\u0942\u0926\u0924\u0940 \u0939\u0948",
    "\u0e2a\u0e38\u0e19\u0e31\u0e02\u0e08\u0e34\u0e49\u0e07\u0e08\u0e2d\u0e01\u0e2a\u0e35\u0e19\u0e49\u0e33\u0e15\u0e32\u0e25",
    "C\u00e1o n\u00e2u nhanh nh\u1eb9n nh\u1ea3y qua con ch\u00f3 l\u01b0\u1eddi",
    "\u0393\u03c1\u03ae\u03b3\u03bf\u03c1\u03b7 \u03ba\u03b1\u03c6\u03ad \u03b1\u03bb\u03b5\u03c0\u03bf\u03cd\u03c2",
    "\U00020000\U0002a6df\u4e02 rare Han, \U0001d54f\U0001d7d8 mathematical",
    # emoji, joined and with modifiers
    "\U0001f600",
    "I love \U0001f355 and \U0001f680!",
    "\U0001f468\u200d\U0001f469\u200d\U0001f467\u200d\U0001f466 \U0001f44d\U0001f3fd \U0001f1fa\U0001f1f3 \u2764\ufe0f",
    # white space and control characters
    "  two  spaces \t tab\r\nline\n\n\nlines  ",
    "no\u00a0break\u2003em\u3000ideographic\u2028line\u2029paragraph",
    "zero\u200bwidth\ufeffbom\u00adsoft\u2060joiner",
    "bell\u0007 null\u0000 escape\u001b[31m delete\u007f next\u0085line",
    "\ufffd\ufffe\uffff\ue000",
    # numbers, punctuation, code
    "3.14159 1,000,000 -42 1e-9 0xDEADBEEF 2026-11-23T12:00:00Z",
    "\u0661\u0662\u0663 \u00bd \u2167 \u00b2",
    "!?.,;:'\"()[]{}<>@#$%^&*-_=+|\\/~`",
    "\u201cquoted\u201d \u2018single\u2019 \u2014 em\u2026",
    "for (let i = 0; i < n; i++) { sum += a[i] * b[i]; } // O(n)",
    "SELECT name, COUNT(*) FROM users WHERE age >= 18 GROUP BY name;",
    "def f(x: int) -> int:\n    return x ** 2  # square\n",
    '{"model": "all-MiniLM-L6-v2", "input": ["a", "b"]}',
    "https://example.com/path?query=1&other=%20#fragment user@example.org",
    # a word longer than WordPiece takes (100 characters) becomes one [UNK]
    "x" * 100,
    "x" * 101,
    "pneumonoultramicroscopicsilicovolcanoconiosis antidisestablishmentarianism",
    # equal texts must give equal vectors
    FOX,
]

# More than the 512 positions of the model: cut to 512 tokens, the special tokens kept.
OVERLONG = [
    word_count("one two three four five six seven eight nine ten", 511),
    word_count(ESSAY, 1200),
]
