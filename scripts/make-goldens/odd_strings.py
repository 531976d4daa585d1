"""Text to train the small vocabularies of the tokenizer goldens on, and strings that tokenizers trip over."""

import random
import unicodedata

SENTENCES = [
    "The lighthouse keeper writes down the weather every evening and counts the boats that come home.",
    "A small garden behind the house grows beans, tomatoes and three kinds of mint.",
    "She asked whether the train to the coast would stop at the old station; nobody knew.",
    "It's raining, they've gone, I'll wait, you'd better go, we're late, isn't that so?",
    "In 2024 the river rose by 3.75 metres and 12,480 people left their homes.",
    "def add(first, second): return first + second  # sum of two numbers",
    "for (let i = 0; i < 10; i++) { console.log(`row ${i}`); }",
    "Der kleine Hund läuft über die große Straße und bellt den Bäcker an.",
    "Das Mädchen trägt einen grünen Rucksack und fährt jeden Tag mit dem Fahrrad.",
    "Le garçon a mangé une crêpe à la confiture près de la fenêtre où dort le chat.",
    "L'été dernier, nous avons logé à l'hôtel et visité le château en forêt.",
    "El niño pequeño soñaba con montañas, ríos y un camión amarillo.",
    "A menina comprou pão, maçãs e café na padaria da esquina.",
    "Il ragazzo è andato al mercato perché voleva delle pesche più dolci.",
    "Küçük çocuk güneşli bir günde ağacın altında kitap okuyor. İyi ışık!",
    "Маленькая кошка спит на тёплом подоконнике и ждёт хозяйку.",
    "Το παιδί διαβάζει ένα βιβλίο κάτω από το δέντρο.",
    "القط الصغير ينام قرب النافذة وينتظر صديقه.",
    "این کتاب درباره دریا و کوه‌های بلند است.",
    "הילד הקטן קורא ספר ליד החלון.",
    "छोटी बिल्ली खिड़की के पास सो रही है और बारिश देख रही है।",
    "แมวตัวเล็กนอนหลับอยู่ข้างหน้าต่าง",
    "Con mèo nhỏ ngủ cạnh cửa sổ và chờ người bạn của nó trở về nhà.",
    "Hôm nay trời đẹp, chúng tôi đi dạo quanh hồ và uống cà phê sữa đá.",
    "Trường đại học nằm ở phía đông thành phố, gần một ngôi chợ lớn.",
    "小さな猫が窓のそばで眠っています。カタカナもあります。",
    "小猫在窗边睡觉，等待它的朋友回家。今天天气很好。",
    "작은 고양이가 창가에서 자고 있어요.",
    "happy 😀 sad 😢 family 👨‍👩‍👧 flag 🇻🇳 thumbs 👍🏽",
]

SNIPPETS = [
    "<s>", "</s>", "<pad>", "<unk>", "<mask>", "[CLS]", "[SEP]", "[PAD]", "[MASK]", "[UNK]", "<|endoftext|>", "<|im_start|>",
    "<bos>", "<eos>", "<start_of_turn>", "<extra_id_0>", "<extra_id_99>", "<S>", "[cls]", "<MASK>", "<0x41>", "<ent>", "<ENT>", "newword", "NewWord",
    "▁", "▁▁", "##", "##ing", "@@", "@@ ", "</w>", "Ġ", "``", "''", "...", "--", "!?", "(", ")", "{", "}", "\\", "/", "~", "^", "|",
    "\t", "\n", "\r", "\r\n", "\n\n", "\v", "\f", "\x00", "\x01", "\x07", "\x1b", "\x1c", "\x1d", "\x1e", "\x1f", "\x7f", "\x85", "\xa0", "\xad",
    " ", "  ", "   ", "     ", "\u1680", "\u2000", "\u2003", "\u2009", "\u200a", "\u2028", "\u2029", "\u202f", "\u205f", "\u3000", "\u180e",
    "\u200b", "\u200c", "\u200d", "\u200e", "\u202e", "\u2060", "\ufeff", "\ufffd", "\ufffc", "\ue000", "\U0010fffd", "\ufe0f",
    "İ", "ı", "ẞ", "ß", "ſ", "ǅ", "ﬁ", "ﬃ", "Å", "Å", "Å", "é", "e\u0301", "ệ", "e\u0323\u0302", "e\u0302\u0323", "ơ\u0303", "n\u0303", "ΑΣ", "Σ", "ς",
    "①", "²", "½", "Ⅳ", "㎏", "㌔", "ｱｲｳ", "ＡＢＣ１２３", "٣٤٥", "१२३", "๑๒", "𝔘𝔫𝔦", "𝟘𝟙", "𐍈", "𠀀", "𝒳", "가", "가", "힣", "ㅎ",
    "👍", "👍🏽", "👩‍❤️‍👨", "👨‍👩‍👧‍👦", "🏳️‍🌈", "🇻🇳", "❤️", "1️⃣", "🫠", "中", "文字", "漢字かな", "ไทย", "हिन्दी", "עִבְרִית", "العَرَبِيَّة", "كتـــاب", "ﷺ", "ﻻ",
    "don't", "I'LL", "we'Re", "'s", "'S", "’s", "http://a.b/c?d=e&f=g#h", "x@y.org", "C++", "a_b-c.d", "€100", "$5", "50%", "№7", "°C", "±", "×", "→", "“quoted”", "«ainsi»", "—", "–", "…",
    "007", "1", "12", "123", "1234", "12,345.67", "1e-5", "0xFF", "10⁻³", "\\n", "&amp;", "<b>", "</b>", "a\u0300\u0301\u0302\u0303", "Z̵͑͐ả̴l̶̍g̷̓o̸̒",
]


def words() -> list[str]:
    return sorted({word for sentence in SENTENCES for word in sentence.split()})


def training_text() -> list[str]:
    """Sentences, their words and shuffled halves: enough repetition for merges."""
    chance = random.Random(7)
    lines = list(SENTENCES) * 3
    for _ in range(600):
        sentence = chance.choice(SENTENCES).split()
        chance.shuffle(sentence)
        lines.append(" ".join(sentence[: chance.randint(2, 9)]))
    return lines


def odd_strings(count: int, seed: int) -> list[str]:
    chance = random.Random(seed)
    strings = ["", " ", "  ", "a", "\n", "\t", "\x00", "hello world", " hello", "hello ", "\nhello\n", "hello  world"] + SNIPPETS + SENTENCES
    strings += ["x" * 120, "word" * 60, "中" * 40, "\u0301" * 20, "👍" * 15, "é" * 110, "a" * 99, "a" * 100, "a" * 101, " " * 50, "\n" * 20, "ab " * 40]
    strings += [f"a{snippet}b" for snippet in SNIPPETS] + [f" {snippet} c" for snippet in SNIPPETS] + [f"{snippet}{snippet}" for snippet in SNIPPETS]
    makers = [mixed, spaced, recased, renormalised, characters]
    known = set(strings)
    while len(strings) < count:
        made = chance.choice(makers)(chance)
        if made not in known:
            known.add(made)
            strings.append(made)
    return list(dict.fromkeys(strings))[:count]


def mixed(chance: random.Random) -> str:
    parts = [chance.choice(WORDS if chance.random() < 0.6 else SNIPPETS) for _ in range(chance.randint(1, 6))]
    return chance.choice(["", " ", " ", "  ", "\n"]).join(parts)


def spaced(chance: random.Random) -> str:
    spaces = [snippet for snippet in SNIPPETS if snippet.isspace()]
    return "".join(chance.choice(WORDS) + chance.choice(spaces) for _ in range(chance.randint(1, 4)))


def recased(chance: random.Random) -> str:
    text = " ".join(chance.choice(SENTENCES).split()[: chance.randint(1, 7)])
    return chance.choice([str.upper, str.title, str.swapcase, str.lower])(text)


def renormalised(chance: random.Random) -> str:
    text = " ".join(chance.choice(SENTENCES).split()[-chance.randint(1, 6) :])
    return unicodedata.normalize(chance.choice(["NFC", "NFD", "NFKC", "NFKD"]), text)


def characters(chance: random.Random) -> str:
    """Any code point but surrogates, mostly of the lower planes."""
    tops = [0x80, 0x250, 0x3000, 0xD800, 0x20000, 0x110000]
    codes = [chance.randrange(chance.choice(tops)) for _ in range(chance.randint(1, 8))]
    return "".join(chr(code) for code in codes if not 0xD800 <= code < 0xE000)


WORDS = words()
