"""The page: what it says is what the story says, in two languages, with nothing to fetch and nothing unsafe."""

from dataclasses import replace
from hashlib import sha256

from gongfen.reports.page import render
from gongfen.reports.story import (
    Flow,
    LabourPart,
    MakerStory,
    Node,
    OutputStory,
    Proof,
    Quoted,
    ScatterPoint,
    SettlementStory,
    Source,
    Story,
    TrainingStory,
    Validation,
)

PRESIDENTS = """George Washington|John Adams|Thomas Jefferson|James Madison|James Monroe|John Quincy Adams|Andrew Jackson
Martin Van Buren|William Henry Harrison|John Tyler|James K. Polk|Zachary Taylor|Millard Fillmore|Franklin Pierce|James Buchanan
Abraham Lincoln|Andrew Johnson|Ulysses S. Grant|Rutherford B. Hayes|James A. Garfield|Chester A. Arthur|Grover Cleveland
Benjamin Harrison|William McKinley|Theodore Roosevelt|William Howard Taft|Woodrow Wilson|Warren G. Harding|Calvin Coolidge
Herbert Hoover|Franklin D. Roosevelt|Harry S. Truman|Dwight D. Eisenhower|John F. Kennedy|Lyndon B. Johnson|Richard Nixon
Gerald R. Ford|Jimmy Carter|Ronald Reagan|George H. W. Bush|William J. Clinton|George W. Bush|Barack Obama"""
NAMES = tuple(name for line in PRESIDENTS.splitlines() for name in line.split("|"))
PROMPTS = (
    "Fellow citizens of the Senate and of the House of Representatives,",
    "The state of our finances",
    "On the labouring man and the wages he is owed,",
    "Our machines have grown more powerful than",
    "Peace among the nations",
    "The roads, the schools and the mails",
)
QUOTE = "the free and independent exercise of the industry of our citizens"
GENERATED = (
    " I have the satisfaction to report that the industry of the country has been enlarged in every branch, and that "
    "the revenue of the past year has exceeded the estimate which was laid before you. It remains for the wisdom of "
    "Congress to secure "
    + QUOTE
    + ", and to provide that those by whose labor the common stock has been made shall have their just part in it. "
    "The Secretary of the Treasury will lay before you an account of what has been received and of what has been paid."
)
EXCERPTS = (
    "The resources drawn into the Treasury, for the year ending on the 30th of September last …",
    "It is a fortunate circumstance that the expanding industry of our people has been met …",
    "Labor is prior to and independent of capital. Capital is only the fruit of labor …",
    "The increase of our commerce and the flourishing state of the revenue …",
    "We have built better homes, cleaner air, cleaner water, and a better life …",
)
KINDS = ("1", "2", "3", "4", "5", "7", "machine", "data")


def digest(text):
    return sha256(text.encode()).hexdigest()


def proof(seq, kind="make"):
    return Proof(seq=seq, fact=f"{kind}-{seq:04d}", kind=kind, leaf=digest(f"leaf {seq}"))


def shared_out(total, weights):
    """Whole cents by largest remainder, for a story whose sums hold."""
    all_ = sum(weights) or 1
    parts = [total * w // all_ for w in weights]
    order = sorted(range(len(weights)), key=lambda i: (-(total * weights[i] % all_), i))
    for i in order[: total - sum(parts)]:
        parts[i] += 1
    return parts


def a_source(n, output, maker):
    effect = (41_300_000 - 7_900_000 * n) * (3 + output) // 3 if n < 5 else -6_200_000 - 900_000 * output
    return Source(
        work=f"sotu-{1790 + 5 * maker}",
        makers=(f"president-{maker}",),
        excerpt=EXCERPTS[(n + output) % len(EXCERPTS)],
        origin=f"https://www.presidency.ucsb.edu/node/{200_000 + maker}" if n != 3 else "Annual Message of 1901",
        effect_nnat=effect,
        share_ppm=max(effect, 0) // 160,
        proof=proof(10 + maker, "bring-in"),
    )


def an_output(n, makers):
    text, living, past = GENERATED, 21_000 + 3_100 * (n % 5), 7_007
    price = None if n == 5 else 2_000_000 if n != 3 else 900_000
    value = 40 * (past + living)
    start = text.index(QUOTE)
    return OutputStory(
        output=f"sha256:{digest(f'output {n}')}",
        prompt=PROMPTS[n % len(PROMPTS)],
        prompted_by=f"president-{n % makers}",
        text=text[: 420 + 60 * (n % 3)].rsplit(" ", 1)[0] + ".",
        visible_label="AI-generated content · 人工智能生成",
        sources=tuple(a_source(i, n, (7 * n + 11 * i + 2) % makers) for i in range(6)),
        works_measured=3 * makers,
        influence_grade="display",
        influence_method="Empirical Fisher over the adapter's gradients, one checkpoint.",
        quotes=(
            Quoted(
                start=start,
                end=start + len(QUOTE),
                work="sotu-1801",
                makers=("president-2",),
                proof=proof(12, "bring-in"),
            ),
        )
        if n % 2 == 0
        else (),
        quote_rule="A shared stretch of eight words or more counts as a quotation.",
        transferred_uslh=past,
        living_uslh=living,
        unmeasured=n == 4,
        by_kind=tuple(
            LabourPart(part=k, uslh=u)
            for k, u in zip(KINDS, shared_out(past + living, (70, 9, 12, 3, 4, 1, 2, 5)), strict=True)
        ),
        price_micro=price,
        value_micro=value,
        rent_avg_micro=None if price is None else price - value,
        rent_repro_micro=None if price is None else price - 40 * living,
        proofs=tuple(proof(200 + 4 * n + i, kind) for i, kind in enumerate(("make", "output", "label", "sale"))),
    )


def a_flow(source, target, uslh, quality="measured"):
    return Flow(source=source, target=target, uslh=uslh, quality=quality)


def a_picture(outputs, makers):
    """Makers write the works; the data set is planned for four trainings, the model for a hundred thousand uses."""
    wrote = [(60 + 37 * n % 91) * 1_000_000 for n in range(makers)]
    nodes = [Node(node=f"president-{n}", label=NAMES[n % len(NAMES)], column=0, kind="maker") for n in range(makers)]
    nodes += [
        Node(node=node, label=label, column=column, kind=kind, unmeasured=node == "bought")
        for node, label, column, kind in (
            ("bought", "Bought data", 0, "bought"),
            ("machine", "Machine time", 0, "machine"),
            ("engineer", "Wang Xiaoming", 0, "maker"),
            ("data", "Data set", 1, "data"),
            ("model", "Model", 2, "model"),
            ("deployment", "Deployment", 3, "data"),
            ("prompts", "Prompts", 3, "prompt"),
            ("data-left", "Left in the data set", 4, "stock"),
            ("model-left", "Left in the model", 4, "stock"),
            ("lost", "Obsolete", 4, "loss"),
        )
    ]
    nodes += [Node(node=o.output, label=f"output {n}", column=4, kind="output") for n, o in enumerate(outputs)]
    flows = [a_flow(f"president-{n}", "data", uslh, "imputed") for n, uslh in enumerate(wrote)]
    data = sum(wrote) + 320_000_000
    passed = data // 4
    model = passed + 640_000_000 + 210_000_000
    used = sum(o.transferred_uslh for o in outputs)
    flows += [
        a_flow("bought", "data", 320_000_000, "estimated"),
        a_flow("data", "model", passed),
        a_flow("data", "data-left", data - passed),
        a_flow("engineer", "model", 640_000_000),
        a_flow("machine", "model", 210_000_000, "estimated"),
        a_flow("model", "deployment", 90_000_000),
        a_flow("model", "model-left", model - 90_000_000),
        a_flow("deployment", "lost", 90_000_000 - used),
    ]
    for o in outputs:
        flows += [a_flow("deployment", o.output, o.transferred_uslh), a_flow("prompts", o.output, o.living_uslh)]
    total = data + 850_000_000 + sum(o.living_uslh for o in outputs)
    return tuple(nodes), tuple(flows), total


def the_makers(makers, pool_cents):
    cents = pool_cents - pool_cents // 2
    labour = shared_out(pool_cents // 2, [60 + 37 * n % 91 for n in range(makers)])
    influence = shared_out(cents, [(97 * n) % 131 + (0 if n % 9 else 120) for n in range(makers)])
    return tuple(
        MakerStory(
            maker=f"president-{n}",
            name=NAMES[n % len(NAMES)] if n < len(NAMES) else f"Member {n}",
            works=3,
            labour_uslh=700 + 31 * n,
            labour_quality="imputed",
            influence_ppm=influence[n] * 1_000_000 // max(cents, 1),
            owed_for_labour_micro=labour[n] * 10_000,
            owed_for_influence_micro=influence[n] * 10_000,
            owed_micro=(labour[n] + influence[n]) * 10_000,
            paid_micro=0,
            quoted=3 if n == 2 else 0,
        )
        for n in range(makers)
    )


def the_validation(makers):
    points = []
    for n in range(min(makers, 12)):
        predicted = (n * 83 % 47 - 11) * 3_100_000
        points.append(
            ScatterPoint(
                maker=f"president-{n * 3 % makers}",
                predicted_nnat=predicted,
                measured_nnat=predicted * 9 // 4 + (n * 61 % 29 - 14) * 2_400_000,
            )
        )
    return Validation(
        points=tuple(points),
        spearman_ppm=923_077 if len(points) > 2 else None,
        adjoint_growth_ppm=1_180_000,
        method="One-sided metagradient through the whole run; each point is one training from the same seed without that maker.",
    )


def the_training(makers):
    losses = tuple(3_420_000 - 980_000 * s // (s + 40) + (s * s * 7919 % 997 - 498) * 330 for s in range(260))
    return TrainingStory(
        model=f"sha256:{digest('model')}",
        base="SmolLM2-135M-Instruct (Q8_0)",
        base_sha256=digest("base"),
        works=3 * makers,
        makers=makers,
        dropped=(
            ("near-duplicate of an earlier work", 4),
            ("no licence recorded", 2),
            ("shorter than 200 characters", 7),
        ),
        steps=len(losses),
        tokens=1_064_960,
        losses_unat=losses,
        device="2 × x86-64 core",
        device_us=1_843_220_000,
        gflop=862_617,
        energy_mwh=10_240,
        energy_quality="estimated",
        seed=43,
        adapter_sha256=digest("adapter"),
        data_root=digest("data"),
        config_sha256=digest("config"),
        code_sha256=digest("code"),
    )


def a_story(outputs=6, makers=43):
    """A book of State of the Union addresses; every sum holds."""
    made = tuple(an_output(n, max(makers, 1)) for n in range(outputs))
    nodes, flows, total = a_picture(made, makers)
    sales = sum(o.price_micro or 0 for o in made)
    pool = sales * 4 // 5
    cents = pool // 10_000 if makers else 0
    people = the_makers(makers, cents)
    shared = sum(m.owed_micro for m in people)
    name = "gongfen.example/sotu"
    return Story(
        title="Forty-three presidents",
        book=name,
        made_at="2026-11-22T05:00:00Z",
        sample=True,
        sample_what=("prices of the outputs", "hours spent on the works", "the standard that turns hours into money"),
        command="gongfen demo --out demo/",
        size=412,
        root=digest("root"),
        checkpoint=f"{name}\n412\nq7WkB0yFf0c4bX1r8m1mVtJ0nq3k2m8cQmUqz2bQ1yE=\n\n— {name} 3q2+7wM1cU0yB8mQeXzJkVt6s0hRr5nL9aF2dPiYwOuKxTgHjCbZvSE4lN7oD1pA\n",
        key=f"{name}+deadbeef+AXl1b2xkIG1hbiB3aG8gbWFkZSB0aGlzIGJvb2sgc2lnbg==",
        melt_micro=40_000_000,
        nodes=nodes,
        flows=flows,
        in_uslh=total,
        out_uslh=total,
        training=the_training(makers),
        outputs=made,
        makers=people,
        validation=the_validation(makers) if makers else None,
        settlement=SettlementStory(
            settlement="settlement-2026-10",
            period="2026-10",
            policy="commons-half/1",
            policy_text="Four fifths of sales go to the makers. Half of the pool follows labour, half follows measured influence; "
            "negative influence counts as zero. Cents by largest remainder, ties by id.",
            standard="sample/1",
            currency="EUR",
            sales_micro=sales,
            pool_micro=pool,
            beta_ppm=500_000,
            shared_micro=shared,
            unidentified_micro=0,
            carried_micro=pool - shared,
            proof=proof(405, "settlement"),
        ),
    )


def test_it_renders():
    assert "43" in render(a_story())
    assert replace(a_story(), sample=False)
