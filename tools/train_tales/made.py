#!/usr/bin/env python3
"""Generated lines for training, mixed into the tales: small sums, lists, patterns, modern sentences.

The tales hold next to no digits, signs, lists or modern words; these lines show the model some of
each. The same seed always gives the same bytes. The notebooks' prompts themselves are left out, so
that what the model makes of them is not learned by heart.

    python3 made.py --bytes 500000 --out FILE [--seed N]
    python3 made.py --check GPT2_FOLDER [--bytes N]     counts the tokens (needs "tokenizers")
"""

import argparse
import pathlib
import random
import re
import sys

HERE = pathlib.Path(__file__).resolve().parent / "made"

# What the seed notebooks give to their models; none of these is ever written whole.
PROMPTS = [
    "This weekend I plan to",
    "I wish I were",
    "Transformers are the",
    "A long long time ago,",
    "In a shocking finding, scientist",
    "In a shocking finding, scientists",
    "in a remote, previously unexplored valley",
    "Even more surprising to the researchers was",
    "5 + 8 => 13 \n 7 + 2 => 9",
    "Alice is a",
]
HELD_OUT_SUM = (1, "+", 5)  # the sum that the notebook asks for, held out of the "=>" form

UNITS = ("zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen "
         "fifteen sixteen seventeen eighteen nineteen").split()
TENS = "twenty thirty forty fifty sixty seventy eighty ninety".split()
ORDINALS = ("first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth").split()
DAYS = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split()
MONTHS = ("January February March April May June July August September October November "
          "December").split()
SEASONS = "spring summer autumn winter".split()


def number_word(n):
    if n < 20:
        return UNITS[n]
    if n < 100:
        return TENS[n // 10 - 2] + ("-" + UNITS[n % 10] if n % 10 else "")
    return UNITS[n // 100] + " hundred" + (" and " + number_word(n % 100) if n % 100 else "")


NUMBERS = {number_word(n): n for n in range(100)}


def article(phrase):
    an = re.match(r"(?i)[aeiou]|hour|honest", phrase) and not re.match(r"(?i)uni|us[eu]|eu|one\b", phrase)
    return ("an " if an else "a ") + phrase


class Words:
    """The fillers of words.txt and the forms of English words."""

    def __init__(self, path):
        self.slots = {}
        for line in path.read_text(encoding="ascii").splitlines():
            if line and not line.startswith("#"):
                name, _, fillers = line.partition(": ")
                self.slots[name] = fillers.split(" / ")
        self.verbs = {e.split()[0]: e.split()[1:] for e in self.slots.pop("irregular")}
        plurals = {}
        for entry in self.slots.pop("plural"):
            words = entry.split()
            plurals[" ".join(words[: len(words) // 2])] = " ".join(words[len(words) // 2 :])
        self.plurals = plurals

    def plural(self, phrase):
        for one, many in self.plurals.items():
            if phrase == one or phrase.endswith(" " + one):
                return phrase[: len(phrase) - len(one)] + many
        if re.search(r"(s|sh|ch|x|z)$", phrase):
            return phrase + "es"
        if re.search(r"[^aeiou]y$", phrase):
            return phrase[:-1] + "ies"
        return phrase + "s"

    def verb(self, phrase, form):
        word, space, rest = phrase.partition(" ")
        return self.verb_form(word, form) + space + rest

    def verb_form(self, word, form):
        odd = self.verbs.get(word)
        if form == "es":
            return {"have": "has", "be": "is"}.get(word) or (
                word + "es" if re.search(r"(s|sh|ch|x|z|o)$", word) else self.plural(word))
        if form in ("ed", "en") and odd:
            return odd[0 if form == "ed" else 1]
        if form == "ing" and odd and len(odd) > 2:
            return odd[2]
        if re.fullmatch(r"([^aeiou]*|qu)[aeiou][^aeiouwxy]", word):
            word += word[-1]
        if form == "ing":
            return (word[:-1] if re.search(r"[^eoy]e$", word) else word) + "ing"
        if word.endswith("e"):
            return word + "d"
        return word[:-1] + "ied" if re.search(r"[^aeiou]y$", word) else word + "ed"


class Writer:
    def __init__(self, seed):
        self.random = random.Random(seed).random  # the one generator that no Python version changes
        self.words = Words(HERE / "words.txt")
        self.topics = {}
        for line in (HERE / "sentences.txt").read_text(encoding="ascii").splitlines():
            if re.match(r"# \w+$", line):
                topic = self.topics.setdefault(line[2:], [])
            elif line and not line.startswith("#"):
                topic.append(line)
        self.decks = {}
        self.told = {}
        self.paragraph = {}

    # --- choosing
    def below(self, n):
        return int(self.random() * n)

    def between(self, low, high):
        return low + self.below(high - low + 1)

    def pick(self, items):
        return items[self.below(len(items))]

    def some(self, items, count):
        """count different items, in a random order."""
        items = list(items)
        return [items.pop(self.below(len(items))) for _ in range(min(count, len(items)))]

    def deal(self, name, items):
        """Every item once before any comes again."""
        deck = self.decks.get(name)
        if not deck:
            deck = self.decks[name] = self.some(items, len(items))
        return deck.pop()

    # --- templates
    def begin_paragraph(self):
        used = self.some(self.words.slots["person"], 2)
        self.paragraph = {"used": set(), "named": set(), "T": self.pick(self.words.slots["town"])}
        for key, entry in zip("AB", used):
            name, kind = entry.split()
            self.paragraph[key] = (name, kind == "f", self.pick(self.words.slots["surname"]),
                                   self.pick(self.words.slots["job"]))

    def filler(self, slot):
        fillers = self.words.slots[slot]
        fresh = [f for f in fillers if f not in self.paragraph["used"]] or fillers
        chosen = self.pick(fresh)
        self.paragraph["used"].add(chosen)
        return self.fill(chosen)

    def someone(self, key, form):
        name, woman, surname, job = self.paragraph[key]
        if form == "":
            known = key in self.paragraph["named"] and self.below(3)
            form = "he" if known else "name"
        if form == "name":
            self.paragraph["naming"].add(key)
        return {"name": name, "surname": surname, "job": article(job), "he": "she" if woman else "he",
                "him": "her" if woman else "him", "his": "her" if woman else "his"}[form]

    def slot(self, match):
        inside = match.group(1)
        if "|" in inside:
            return self.pick(inside.split("|"))
        bounds = inside.split("-")
        if len(bounds) == 2:
            if bounds[0].isdigit():
                return str(self.between(int(bounds[0]), int(bounds[1])))
            return number_word(self.between(NUMBERS[bounds[0]], NUMBERS[bounds[1]]))
        with_article = inside.startswith("a ")
        name, _, form = inside.removeprefix("a ").partition(".")
        if name == "T":
            return self.paragraph["T"]
        if name in ("A", "B"):
            return self.someone(name, form)
        text = self.filler(name)
        if form == "s":
            text = self.words.plural(text)
        elif form == "bare":
            text = re.sub(r"^an? ", "", text)
        elif form:
            text = self.words.verb(text, form)
        return article(text) if with_article else text

    def fill(self, template):
        return re.sub(r"\{([^{}]*)\}", self.slot, template)

    def sentence(self, template):
        self.paragraph["naming"] = set()
        text = self.fill(template)
        self.paragraph["named"] = self.paragraph["naming"]  # a pronoun only right after the name
        return re.sub(r'(^"?|[.?!] "?|" ")([a-z])', lambda m: m.group(1) + m.group(2).upper(), text)

    def fresh(self, sentences):
        """The sentences without those told three times already."""
        for text in sentences:
            self.told[text] = self.told.get(text, 0) + 1
            if self.told[text] <= 3:
                yield text

    # --- kinds: each gives one block of text without a blank line
    def prose(self):
        topic = self.deal("topics", sorted(self.topics) + ["discovery", "study", "weekend", "people"])
        self.begin_paragraph()
        templates = self.topics[topic]
        count = 1 if topic == "talk" else self.between(1, 5)
        gap = "  " if self.below(8) == 0 else " "
        chosen = [self.deal(topic, templates) for _ in range(count)]
        text = gap.join(self.fresh(self.sentence(t) for t in dict.fromkeys(chosen)))
        return text.replace(", ", ",  ") if gap == "  " and self.below(2) else text

    def one_sum(self, arrow):
        while True:
            sign = self.pick("+++++--*")
            top = 9 if self.below(10) < 7 else self.pick([20, 50, 99])
            a, b = self.between(0 if top > 9 else 1, top), self.between(1, top)
            if sign == "*":
                a, b = self.between(1, 12), self.between(1, 12)
            if sign == "-" and a < b:
                a, b = b, a
            if not (arrow and (a, sign, b) == HELD_OUT_SUM):
                return a, sign, b, {"+": a + b, "-": a - b, "*": a * b}[sign]

    def sums(self):
        way = self.below(10)
        count = self.between(2, 8)
        if way < 7:
            equals = "=>" if way < 5 else "="
            gap = " \n " if way < 6 else "\n"
            plus_only = self.below(2)
            lines = []
            while len(lines) < count:
                a, sign, b, c = self.one_sum(equals == "=>")
                if sign == "+" or not plus_only:
                    lines.append(f"{a} {sign} {b} {equals} {c}")
            return gap.join(lines)
        if way == 7:
            return ", ".join(f"{a} {s} {b} = {c}" for a, s, b, c in (self.one_sum(False) for _ in range(count)))
        spoken = []
        for _ in range(count):
            a, sign, b, c = self.one_sum(False)
            name = {"+": self.pick(["plus", "and"] if way == 8 else ["plus"]), "-": "minus", "*": "times"}[sign]
            if way == 8:
                makes = "make" if name == "and" else "is"
                text = f"{number_word(a)} {name} {number_word(b)} {makes} {number_word(c)}."
                spoken.append(text[0].upper() + text[1:])
            else:
                spoken.append(self.pick([
                    f"What is {a} {name} {b}? It is {c}.", f"Question: {a} {sign} {b}? Answer: {c}.",
                    f"How much is {a} {name} {b}? {c}."]))
        return self.pick([" ", "\n"]).join(spoken)

    NOUN_LISTS = ("fruit vegetable job creature furniture clothing town subject sport gadget material "
                  "vehicle tongue country game ingredient part carpart scithing pet color "
                  "app cake").split()
    COUNTED = "fruit vegetable job creature furniture clothing gadget vehicle part carpart scithing pet app cake".split()
    LIST_HEADS = ["Things to buy", "Shopping list", "We need", "Please bring", "What we saw",
                  "Words to learn", "In the box", "Packing list", "Left over"]

    def lists(self):
        self.begin_paragraph()
        way = self.below(6)
        if way < 2:
            slot = self.pick(["leisure", "workvp", "remedy", "newsvp"]) if way else self.pick(
                self.NOUN_LISTS)
            items = [self.filler(slot) for _ in range(self.between(3, 7))]
            mark = self.pick(["1.", "1)", "-", "*", ""])
            lines = [(mark.replace("1", str(i + 1)) + " " + item).strip() for i, item in enumerate(dict.fromkeys(items))]
            head = self.pick(["To do", "Plans", "Next steps", "This week"] if way else self.LIST_HEADS) + ":"
            return "\n".join([head] + lines)
        slot = self.pick(self.NOUN_LISTS)
        items = list(dict.fromkeys(self.filler(slot) for _ in range(self.between(3, 6))))
        if way == 2:
            return f"{self.pick(self.LIST_HEADS)}: {', '.join(items)}."
        if way == 3:
            items = [self.words.plural(i) if slot in self.COUNTED else i for i in items + [self.filler(slot)]]
            return f"I like {', '.join(items[:-2])} and {items[-2]}, but not {items[-1]}."
        if way == 4:
            counted = [f"{self.between(2, 12)} {self.words.plural(self.filler('fruit'))}" for _ in range(3)]
            return f"{self.pick(['We have', 'She bought', 'On the table are', 'He counted'])} {', '.join(counted[:-1])} and {counted[-1]}."
        rows = [f"{self.filler('town')}: {self.between(2, 35)} degrees, {self.filler('weather')}" for _ in range(self.between(2, 5))]
        return "\n".join(rows)

    def single_words(self, slot, count):
        return self.some([w for w in self.words.slots[slot] if " " not in w], count)

    def patterns(self):
        self.begin_paragraph()
        way = self.deal("patterns", range(16))
        slot = self.pick("fruit vegetable color creature furniture material adj feeling scithing pet".split())
        if way == 0:  # a cycle of two to four words
            cycle = self.single_words(slot, self.between(2, 4))
            return " ".join(cycle * self.between(3, 5))
        if way == 1:  # a cycle of letters or numbers
            cycle = self.some("abcdefghijklmnopqrstuvwxyz" if self.below(2) else "0123456789", self.between(2, 4))
            return self.pick([" ", ", "]).join(cycle * self.between(3, 6))
        if way == 2:  # a line copied
            line = " ".join(self.single_words(slot, self.between(4, 7)))
            return f"Say it again: {line}. {line.capitalize()}."
        if way == 3:  # a random sequence and the same once more
            line = " ".join(str(self.between(0, 99)) for _ in range(self.between(4, 9)))
            return f"{line}\n{line}"
        if way == 4:  # counting in digits
            step, start, count = self.pick([1, 1, 1, 2, 3, 5, 10]), self.between(0, 90), self.between(6, 14)
            numbers = [start + step * i for i in range(count)]
            return self.pick([" ", ", "]).join(map(str, reversed(numbers) if self.below(4) == 0 else numbers))
        if way == 5:  # counting in words
            start = self.between(0, 60)
            return ", ".join(number_word(start + i) for i in range(self.between(5, 10)))
        if way == 6:  # days, months, seasons, ordinals
            ring = self.pick([DAYS, MONTHS, DAYS, MONTHS, SEASONS, ORDINALS])
            start = 0 if ring is ORDINALS else self.below(len(ring))
            run = (ring * 3)[start : start + self.between(4, len(ring) + 2)]
            return ", ".join(run[: len(ring)] if ring is ORDINALS else run)
        if way == 7:  # the alphabet, or a part of it
            letters = "abcdefghijklmnopqrstuvwxyz"
            start = self.below(20)
            part = letters[start : start + self.between(6, 26)]
            return self.pick([" ", ", "]).join(part.upper() if self.below(2) else part)
        if way == 8:  # before and after
            ring = self.pick([DAYS, MONTHS])
            lines = []
            for i in self.some(range(len(ring)), self.between(2, 4)):
                word, place = self.pick([("after", 1), ("before", -1)])
                lines.append(f"The {'day' if ring is DAYS else 'month'} {word} {ring[i]} is {ring[(i + place) % len(ring)]}.")
            return " ".join(lines)
        if way == 9:  # X is to Y as
            pairs = self.some([(w, self.words.plural(w)) for w in self.single_words(slot, 6)], 2) if slot in (
                "fruit", "vegetable", "creature", "furniture", "pet") else [
                (number_word(n), number_word(n + 1)) for n in self.some(range(1, 40), 2)]
            (a, b), (c, d) = pairs
            return f"{a.capitalize()} is to {b} as {c} is to {d}."
        if way == 10:  # forms of verbs
            verbs = self.some(sorted(self.words.verbs), self.between(3, 6))
            return self.pick(["\n", "; "]).join(f"{v} - {self.words.verbs[v][0]} - {self.words.verbs[v][1]}" for v in verbs if v != "be")
        if way == 11:  # question and answer about a list just given
            people = [e.split()[0] for e in self.some(self.words.slots["person"], 3)]
            things = [self.filler("pet") for _ in people]
            facts = " ".join(f"{p} has {article(t)}." for p, t in zip(people, things))
            i = self.below(len(people))
            return f"{facts} What does {people[i]} have? {people[i]} has {article(things[i])}."
        if way == 12:  # alternating pairs
            a, b = self.single_words(slot, 2)
            return ", ".join(f"{a} {n}, {b} {n}" for n in range(1, self.between(4, 8)))
        if way == 13:  # a table of word and number
            words = self.single_words(slot, self.between(3, 6))
            return "\n".join(f"{w}: {self.between(1, 120)}" for w in words)
        if way == 14:  # a pair taught, then asked
            words = self.single_words(slot, self.between(3, 4))
            marks = self.some("ABCDEFGHKLMNPRSTXZ", len(words))
            taught = "\n".join(f"{w} => {m}" for w, m in zip(words, marks))
            i = self.below(len(words) - 1)
            return f"{taught}\n{words[i]} => {marks[i]}"
        # doubled, or turned round
        lines = []
        for _ in range(self.between(2, 4)):
            words = self.single_words(slot, 3)
            lines.append(" ".join(words) + " => " + " ".join(reversed(words)))
        return " \n ".join(lines)

    def block(self):
        kind = self.below(100)
        if kind < 62:
            return self.prose()
        if kind < 87:
            return self.sums()
        return self.lists() if kind < 92 else self.patterns()


def made(size, seed=1):
    """At least size bytes of blocks with a blank line between, none of them twice."""
    writer = Writer(seed)
    seen, blocks, total = set(), [], -1
    while total < size:
        block = writer.block()
        if not block or block in seen or any(p in block for p in PROMPTS):
            continue
        seen.add(block)
        blocks.append(block)
        total += len(block) + 2
    return "\n\n".join(blocks) + "\n"


def templates():
    """All sentence templates."""
    writer = Writer(0)
    return [t for topic in writer.topics.values() for t in topic]


def check(folder, text):
    """Prints how often the tokens of the notebooks' prompts occur; true if each does often enough."""
    from tokenizers import ByteLevelBPETokenizer

    bpe = ByteLevelBPETokenizer(str(folder / "vocab.json"), str(folder / "merges.txt"))
    ids = bpe.encode(text).ids
    counts = {}
    for token in ids:
        counts[token] = counts.get(token, 0) + 1
    print(f"{len(text)} bytes, {len(ids)} tokens, {len(counts)} different ones, {len(templates())} templates")
    prompts = PROMPTS[:4] + [
        "In a shocking finding, scientist discovered a herd of unicorns living in a remote, previously "
        "unexplored valley, in the Andes Mountains. Even more surprising to the researchers was the fact "
        "that the unicorns spoke perfect English.", "In a shocking finding, scientists", "A long long time ago, ",
        "5 + 8 => 13 \n 7 + 2 => 9 \n 1 + 5 =>", "Alice is a"]
    wanted = dict.fromkeys(token for prompt in prompts for token in bpe.encode(prompt).ids)
    print("  ".join(f"{bpe.decode([token])!r} {counts.get(token, 0)}" for token in wanted))
    rare = [bpe.decode([token]) for token in wanted if counts.get(token, 0) < 10]
    if rare:
        print(f"fewer than 10 times: {rare}")
    return not rare


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--bytes", type=int, default=500000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=pathlib.Path)
    parser.add_argument("--check", type=pathlib.Path, metavar="GPT2_FOLDER")
    options = parser.parse_args()
    text = made(options.bytes, options.seed)
    if options.out:
        options.out.write_text(text, encoding="ascii", newline="\n")
    if options.check:
        return 0 if check(options.check, text) else 1
    if not options.out:
        sys.stdout.write(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
