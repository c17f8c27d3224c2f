"""Stories: chains of sums told in short English sentences, with many names, things and ways to say more and less.

    tell((14, 8, -5), rng) -> "Ana has 14 pens. She buys 8 more and gives 5 to Ben. How many pens does Ana have now?"

The numbers come in the order of the chain. What a story says beyond its numbers and verbs is drawn independently of
them.
"""

from random import Random

NAMES = (
    "Ana Ben Mia Tom Eva Leo Zoe Max Lily Sam Nora Jack Emma Omar Ruth Paul Sara Noah Ivy Adam Maria John Lucy "
    "Carlos Priya Wei Amir Kate Hugo Elif Yuki Finn Rosa Alex Jane Peter Nina David Chloe Ali"
).split()
HE = set("Ben Tom Leo Max Sam Jack Omar Paul Noah Adam John Carlos Amir Hugo Finn Peter David Ali".split())
THINGS = (
    "pens apples books coins cards marbles stamps pencils shells stickers balls flowers eggs toys cookies oranges "
    "candies beads keys cups stones buttons ribbons photos tickets nuts plums pears grapes balloons boxes bottles hats "
    "socks stars dolls cakes lemons erasers dollars dollars chairs birds fish bikes lamps tomatoes potatoes roses"
).split()
FOOD = set("tomatoes potatoes fish apples eggs cookies oranges candies nuts plums pears grapes cakes lemons".split())
# (now, past) forms; {} is the number, {o} another person
GAINS = (
    ("buys {}", "bought {}"),
    ("buys {} more", "bought {} more"),
    ("finds {}", "found {}"),
    ("finds {} more", "found {} more"),
    ("gets {} from {o}", "got {} from {o}"),
    ("gets {} more", "got {} more"),
    ("wins {}", "won {}"),
    ("receives {} from {o}", "received {} from {o}"),
    ("collects {} more", "collected {} more"),
    ("gets another {}", "got another {}"),
    ("picks up {}", "picked up {}"),
    ("receives {} more", "received {} more"),
    ("adds {} more", "added {} more"),
    ("makes {} more", "made {} more"),
)
GIFTS = (("{o} gives {p} {} more", "{o} gave {p} {} more"), ("{o} gives {p} {}", "{o} gave {p} {}"))
LOSSES = (
    ("gives {} to {o}", "gave {} to {o}"),
    ("gives away {}", "gave away {}"),
    ("loses {}", "lost {}"),
    ("sells {}", "sold {}"),
    ("gives {o} {}", "gave {o} {}"),
    ("uses {}", "used {}"),
    ("throws away {}", "threw away {}"),
    ("breaks {}", "broke {}"),
    ("drops {}", "dropped {}"),
    ("gives {} of them to {o}", "gave {} of them to {o}"),
    ("sells {} of them", "sold {} of them"),
)
EATS = ("eats {}", "ate {}")
EARNS = (("earns {} more", "earned {} more"), ("earns {}", "earned {}"))
SPENDS = (("spends {}", "spent {}"), ("spends {} on a book", "spent {} on a book"), ("pays {}", "paid {}"))
# Who else may own things: how the story begins, and how it goes on
OTHERS = (
    ("A shop", "the shop"),
    ("A farmer", "the farmer"),
    ("The teacher", "the teacher"),
    ("A school", "the school"),
    ("My brother", "my brother"),
    ("A baker", "the baker"),
    ("The library", "the library"),
)


def tell(terms: tuple[int, ...], rng: Random) -> str:
    """A chain, the first number positive, as a story: what somebody has, what happens, how many there are now."""
    name, other, third = rng.sample(NAMES, 3)
    thing = rng.choice(THINGS)
    past = rng.random() < 0.4
    if len(terms) == 2 and rng.random() < 0.5:
        return _tell_two(terms, rng, name, other, thing, past)
    who, them = ("He", "him") if name in HE else ("She", "her")
    begin = again = name
    if rng.random() < 0.1:
        begin, again = rng.choice(OTHERS)
        who, them = again.capitalize(), "them"
    text = f"{begin} {'had' if past else 'has'} {terms[0]} {thing}"
    clauses = [_clause(term, thing, past, rng, other, third, them) for term in terms[1:]]
    if rng.random() < 0.2 and not clauses[0][0]:
        text += f" and {clauses.pop(0)[1]}."
    else:
        text += "."
    while clauses:
        own, clause = clauses.pop(0)
        subject = "" if own else (again if again in NAMES and rng.random() < 0.2 else who) + " "
        opening = rng.choice(("", "", "", "Then ", "Later "))
        if opening and subject and not (again in NAMES and subject.strip() == again):
            subject = subject[0].lower() + subject[1:]
        text += f" {opening}{subject}{clause}"
        if clauses and not own and not clauses[0][0] and rng.random() < 0.4:
            text += rng.choice((" and then ", " and ")) + clauses.pop(0)[1]
        text += "."
    return f"{text} {_question(terms, thing, past, rng, again, who)}"


def _clause(term, thing, past, rng, other, third, them):
    """(whether it has a subject of its own, what happens)."""
    if term >= 0 and rng.random() < 0.2:
        return True, rng.choice(GIFTS)[past].format(abs(term), o=other, p=them)
    if thing == "dollars" and rng.random() < 0.6:
        forms = EARNS if term >= 0 else SPENDS
    elif term >= 0:
        forms = GAINS
    else:
        forms = (*LOSSES, EATS, EATS) if thing in FOOD else LOSSES
    return False, rng.choice(forms)[past].format(abs(term), o=rng.choice((other, third)))


def _question(terms, thing, past, rng, again, who):
    subject = rng.choice((again, who.lower() if again in NAMES else again))
    left = terms[-1] < 0 and rng.random() < 0.4
    if thing == "dollars" and rng.random() < 0.3:
        return f"How much money does {subject} have {'left' if left else 'now'}?"
    if past and rng.random() < 0.5:
        return f"How many {thing} did {subject} have {'left' if left else rng.choice(('in the end', 'then'))}?"
    end = " left" if left else rng.choice((" now", " now", " in the end", ""))
    return f"How many {thing} does {subject} have{end}?"


def _tell_two(terms, rng, name, other, thing, past):
    """Two numbers: what two people have together, what is in a box, who has more, what happened on two days."""
    a, b = terms[0], abs(terms[1])
    has, have = ("had", "did") if past else ("has", "do")
    both = rng.choice(("together", "in total", "altogether", "in all"))
    total = rng.choice(("in total", "altogether", "in all"))
    verb = rng.choice(("buy", "find", "pick", "sell", "make"))
    gone = rng.choice(("break", "are lost", "are gone", "are sold"))
    if terms[1] >= 0:
        return rng.choice(
            (
                f"{name} {has} {a} {thing} and {other} {has} {b} {thing}. How many {thing} {have} they have {both}?",
                f"{name} {has} {a} {thing}. {other} {has} {b} {thing}. How many {thing} {have} they have {both}?",
                f"{name} has {a} {thing}. {other} has {b} more than {name}. How many {thing} does {other} have?",
                f"There are {a} {thing} in a box. {name} puts {b} more in. How many {thing} are in the box now?",
                f"There are {a} {thing} in one box and {b} in another. How many {thing} are there {total}?",
                f"There are {a} birds on a tree. {b} more come. How many birds are there now?",
                f"{name} {verb}s {a} {thing} in the morning and {b} in the afternoon. "
                f"How many {thing} does {name} {verb} {total}?",
                f"{name} read {a} pages on Monday and {b} pages on Tuesday. How many pages did {name} read {total}?",
            )
        )
    return rng.choice(
        (
            f"{name} has {a} {thing}. {other} has {b} fewer. How many {thing} does {other} have?",
            f"There are {a} {thing} in a box. {name} takes {b} out. How many {thing} are left?",
            f"There were {a} {thing} on the table. {name} took {b}. How many {thing} are left?",
            f"{name} has {a} {thing} and {other} has {b} {thing}. How many more does {name} have?",
            f"There are {a} birds on a tree. {b} fly away. How many birds {rng.choice(('are left', 'remain'))}?",
            f"{name} {has} {a} {thing}. {b} of them {gone}. How many {thing} are left?",
            f"{name} needs {a} {thing} and has {b}. How many more {thing} does {name} need?",
            f"A book has {a} pages. {name} read {b} of them. How many pages are left?",
        )
    )
