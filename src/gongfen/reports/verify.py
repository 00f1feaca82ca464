"""Check an audit bundle of a Gongfen book without Gongfen: this one file, Python 3.11 and the package `cryptography`.

    python -I verify.py audit.zip --key 'THE KEY THAT THE BOOK PUBLISHED, OR ITS FILE; --key AGAIN FOR A SECOND ONE'
Take the key from a place that the sender cannot change for you alone, and this file from a source that you trust:
whoever sends you both can send a verifier that always says yes. It ends with 0 if all holds, 2 if not, and 3 if a log
uses what is not booked here. Whole amounts: micro-units of a currency, microseconds, uslh (10⁻⁶ h of simple labour).
"""

# fmt: off
import argparse, json, re, sys, zipfile
from base64 import b64decode
from collections import Counter, defaultdict
from datetime import UTC, date, datetime, timedelta
from functools import cache, partial
from hashlib import sha256
from importlib import import_module
from pathlib import Path
from typing import Any
from cryptography.exceptions import InvalidSignature
MOST, MOST_BYTES, MOST_ENTRY_BYTES = 2**53 - 1, 1 << 30, (1 << 16) - 1  # number (RFC 7493), bundle, fact logged whole
PPM, HOUR_US, HOUR_USLH = 1_000_000, 3_600_000_000, 1_000_000
NEEDED = ("checkpoint", "key", "facts.jsonl", "leaves", "proofs.jsonl", "SHA256SUMS")
PART = re.compile(rf"{'|'.join(NEEDED)}|README\.txt|verify\.py|witnesses|blobs/[0-9a-f]{{64}}")
ASK = "ask for a new bundle; do not trust this copy"
Fields = dict[str, Any]
Parts = dict[str, bytes]
Shares = dict[str, int]
class Refused(Exception): """What does not hold: a thing, a reason, a remedy."""
def demand(holds: object, thing: str, reason: str, remedy: str = ASK) -> None:
    """Go on when it holds; refuse otherwise."""
    if not holds: raise Refused(f"{thing} {reason}\n  → {remedy}")
def read_parts(place: Path) -> Parts:
    """The parts of a bundle, zipped or unpacked. What is read is counted: the directory of a zip may lie."""
    if place.is_dir():
        files = [path for path in (*place.iterdir(), *place.glob("blobs/*")) if path.is_file()]
        found: Any = [(path.relative_to(place).as_posix(), partial(path.open, "rb")) for path in files]
    else:
        demand(place.suffix not in (".tlog-proof", ".json"), "a receipt", "is no bundle", "use: gongfen verify")
        archive = zipfile.ZipFile(place)
        found = [(one.filename, partial(archive.open, one)) for one in archive.infolist() if one.filename != "blobs/"]
    parts, left = Parts(), MOST_BYTES
    for name, opened in found:
        demand(PART.fullmatch(name) and name not in parts, f"bundle, {name[:60]!r},", "is no part, or there twice")
        with opened() as file: parts[name] = file.read(left + 1)
        demand((left := left - len(parts[name])) >= 0, "bundle", "unpacks to more than 1 GiB")
    demand(parts.keys() >= {*NEEDED}, "bundle", f"lacks {', '.join(sorted({*NEEDED} - parts.keys()))}")
    return parts
# ── 1. Whose key? ─────────────────────────────────────────────────────────────────────────────────────────────────────
ED25519, COSIGNATURE, MLDSA44 = 1, 4, 6  # of a log; of a witness; of either, for the years to come
class Key:
    """A public key in a line `name+id+base64(kind, public key)` (c2sp.org/signed-note); the id helps to find it."""
    def __init__(self, line: str) -> None:
        self.line, (self.name, hint, encoded) = line, (*line.split("+", 2), "", "")[:3]
        raw = b64decode(encoded, validate=True)
        self.kind, self.public, self.id = raw[0], raw[1:], sha256(self.name.encode() + b"\n" + raw).digest()[:4]
        demand(self.id.hex() == hint, "key", "has an id that does not fit its name and bytes")
        length = {ED25519: 32, COSIGNATURE: 32, MLDSA44: 1312}.get(self.kind)
        demand(length == len(self.public), "key", "is of no kind that is known here")
def signed_by(public: bytes, message: bytes, signature: bytes) -> bool:
    """Whether the holder of a public key, Ed25519 (RFC 8032) or ML-DSA-44 (FIPS 204), signed the message."""
    room, kind = ("ed25519", "Ed25519PublicKey") if len(public) == 32 else ("mldsa", "MLDSA44PublicKey")
    keys = import_module(f"cryptography.hazmat.primitives.asymmetric.{room}")  # older versions lack mldsa
    try: getattr(keys, kind).from_public_bytes(public).verify(signature, message)
    except InvalidSignature: return False
    return True
# ── 2. What was signed? ───────────────────────────────────────────────────────────────────────────────────────────────
class Checkpoint:
    """So many facts lead to this root: the text of a signed note (c2sp.org/signed-note, c2sp.org/tlog-checkpoint)."""
    def __init__(self, note: bytes, keys: list[Key], thing: str) -> None:
        text, mark, below = note.decode().rpartition("\n\n")
        lines = [re.fullmatch(r"— ([^\s+]+) (\S+)", line) for line in below[:-1].split("\n")]
        whole = mark and below.endswith("\n") and all(lines) and len(lines) <= 100 and len(note) <= 1 << 20
        demand(whole and not re.search(r"[\x00-\x09\x0b-\x1f]", text), thing, "is not a signed note")
        self.origin, size, root = text.split("\n")[:3]
        demand(re.fullmatch(r"0|[1-9][0-9]{0,17}", size) and len(root) == 44, thing, "has no size and root")
        self.text, self.size, self.root = text + "\n", int(size), b64decode(root, validate=True)
        self.signatures = [(line[1], b64decode(line[2], validate=True)) for line in lines if line]
        for key in keys:
            demand(self.times(key), thing, f"is not signed by {key.line}", "check with the key that was published")
            demand(key.name == self.origin, thing, f"is of the log {self.origin}, not of {key.name}")
    def times(self, key: Key) -> list[int]:
        """When the key signed: seconds since 1970, or 0. Lines of other keys are passed over; its own must hold."""
        times, begin = [], 4 if key.kind == ED25519 else 12
        for raw in [raw for name, raw in self.signatures if (name, raw[:4]) == (key.name, key.id)]:
            times.append(int.from_bytes(raw[4:begin], "big"))
            holds = times[-1] < 1 << 63 and signed_by(key.public, self.message(key, times[-1]), raw[begin:])
            demand(holds, "checkpoint", f"carries a false signature of {key.name}")
        return times
    def message(self, key: Key, seconds: int) -> bytes:
        """What a key of this kind signs (c2sp.org/tlog-cosignature)."""
        if key.kind != MLDSA44:
            return (f"cosignature/v1\ntime {seconds}\n" * (key.kind == COSIGNATURE) + self.text).encode()
        name, origin, time = key.name.encode(), self.origin.encode(), seconds.to_bytes(8, "big")
        demand(self.text.count("\n") == 3, "checkpoint", "has extension lines, which ML-DSA-44 does not sign")
        begin = b"subtree/v1\n\0" + bytes([len(name)]) + name + time + bytes([len(origin)]) + origin
        return begin + bytes(8) + self.size.to_bytes(8, "big") + self.root
# ── 3. Is every fact in it? ───────────────────────────────────────────────────────────────────────────────────────────
class Tree:
    """The Merkle tree over the hashes of all facts (RFC 9162, 2.1)."""
    def __init__(self, facts: list[bytes]) -> None:
        self.leaves = [sha256(b"\0" + fact).digest() for fact in facts]
        self.root = cache(self.hash_over)
    def hash_over(self, start: int, end: int) -> bytes:
        """The root of the leaves from one number up to another (2.1.1)."""
        if end - start < 2: return self.leaves[start] if end > start else sha256().digest()
        middle = start + (1 << (end - start - 1).bit_length() - 1)
        return sha256(b"\1" + self.root(start, middle) + self.root(middle, end)).digest()
    def path(self, number: int, start: int, end: int) -> list[str]:
        """The proof that a leaf is in it: the hashes beside the way up from it to the root (2.1.3.1)."""
        if end - start < 2: return []
        middle = start + (1 << (end - start - 1).bit_length() - 1)
        near, far = sorted([(start, middle), (middle, end)], reverse=number >= middle)
        return [*self.path(number, *near), self.root(*far).hex()]
# ── 4. What do the facts say? ─────────────────────────────────────────────────────────────────────────────────────────
def canonical(value: object) -> bytes:
    """RFC 8785 for what a log holds, texts and whole numbers: compact JSON, the names in their order."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()
def from_json(data: bytes, thing: str) -> Any:
    """What canonical bytes say. What another reader might read otherwise is refused."""
    value = json.loads(data.decode())
    demand(canonical(value) == data, thing, "is not in canonical form")
    return value
def read_fact(line: bytes, parts: Parts) -> tuple[Fields, Fields]:
    """What a fact says, with its whole body, and its maker's signature. A long body is logged by its hash."""
    fact = from_json(line, "it")
    body = fact["body"] if "body" in fact else from_json(parts[f"blobs/{fact['body_sha256']}"], "its body")
    said = {name: fact[name] for name in ("at", "by", "id", "kind", "sample")} | {"body": body, "v": 1}
    due = said | ({"signed": fact["signed"], "v": 2} if "signed" in fact else {})
    if len(canonical(due)) > MOST_ENTRY_BYTES:
        raw = canonical(due.pop("body"))
        due |= {"v": 2, "body_bytes": len(raw), "body_sha256": sha256(raw).hexdigest()}
    demand(canonical(due) == line and type(fact["sample"]) is bool, "it", "is not written as a fact is")
    return said, fact.get("signed", {})
# ── 5. The books: every fact is booked again, from nothing ────────────────────────────────────────────────────────────
KINDS = ("enrol", "work", "dataset", "model", "output", "labour", "compute", "purchase", "plan", "make", "influence",
         "standard", "policy", "sale", "settlement", "payment", "key", "wage", "rent", "rate", "label", "quote")
LATER = {"loss", "recycle", "correction", "opening", "close", "task", "discarded", "averages", "business"}  # not here
RULES = ("standard", "policy", "influence", "sale", "settlement", "payment")  # each can be shown to others alone
SPACES = {"enrol": "maker", "dataset": "work", "model": "work", "output": "work"}  # what they name, if not themselves
LISTS = dict.fromkeys(("works", "inputs", "outputs", "effects"), "work") | {  # what tells the items of each apart
    "makers": "maker", "reductions": "skill", "machines": "device"}
NUMBERS = {name: (least, most) for names, least, most in (
    ("labour_kind", 1, 8), ("days", 1, 3660), ("ppm pool_ppm beta_ppm", 0, PPM), ("effect_nnat", -MOST, MOST),
    ("people quantity uses num den coin_micro amount_micro", 1, MOST),
    ("price_micro labour_us device_us uslh_per_hour embodied_uslh", 0, MOST)) for name in names.split()}
NAME, LIVING = re.compile(r"[^\s\x00-\x1f\x7f-\x9f|]{1,200}"), re.compile(r"(living\|\d\|)(inference|operation)\|")
NOBODY, SIMPLE = "owed:unidentified", {"simple": (1, 1)}
def apportion(total: int, weights: Shares) -> Shares:
    """Divide a total by weights: largest remainder first, of equal ones the name that sorts first. Nothing is lost."""
    whole = sum(weights.values()) or 1
    parts = {name: total * weight // whole for name, weight in weights.items()}
    in_turn = sorted(weights, key=lambda name: (-(total * weights[name] % whole), name))
    return parts | {name: parts[name] + 1 for name in in_turn[: total - sum(parts.values())]}
def rounded(amount: int, by: int) -> int: return (2 * amount + by) // (2 * by)
class Work:
    """A work, and the labour at rest in it: lots of uslh, by whom or what they came from."""
    def __init__(self, kind: str, body: Fields) -> None:
        self.kind, self.makers, self.quantity = kind, body.get("makers"), body.get("quantity", 1)
        self.members, self.model, self.begun = list(body.get("works", ())), "", False
        self.lots, self.made_of = Counter[str](), Counter[str]()  # what is in it; and all that went in, used or not
        self.plan(1 if kind in ("data", "prompt", "dataset", "output") else None)
    def plan(self, uses: int | None) -> None:
        """From now on so many uses share what is in it; the uses that were stay as they were."""
        self.base, self.planned, self.used = self.lots.total(), uses, 0
    def receive(self, lots: dict[str, Any]) -> None:
        for held in (self.lots, self.made_of): held.update({one: lots[one] for one in lots if lots[one] is not None})
        demand(self.lots.total() <= MOST, "a work", "holds more than can be booked")
        self.plan(None if self.planned is None else max(self.planned - self.used, 0))
    def use(self, uses: int) -> Shares:
        """What so many uses carry away. After k of n uses ⌊base·k/n⌋ is gone, so that the n carry it all."""
        if (n := self.planned) is None: raise Refused(f"a work is used, but nobody planned its uses\n  → {ASK}")
        gone = [self.base * k // n if k < n else self.base for k in (self.used, self.used + uses)]
        taken = apportion(gone[1] - gone[0], self.lots)
        self.lots.subtract(taken)
        self.used, self.begun = self.used + uses, True
        return {source: amount for source, amount in taken.items() if amount}
class Books:  # `known` has the facts that gave a name, by what the name is of, in their order
    def __init__(self, origin: str) -> None:
        self.origin, self.signed, self.days, self.owed = origin, 0, Counter[Any](), Counter[Any]()
        self.known, self.works = defaultdict[str, Fields](dict), dict[str, Work]()
        self.rates, self.skills, self.behind = Shares(), SIMPLE, ""
    def book(self, number: int, said: Fields, signature: Fields, root: Any) -> None:
        """One fact. Of a kind on which no money rests, its id and its signature count."""
        self.take_name("id", said["id"], {})
        if signature: self.check_signature(said, signature)
        if (kind := said["kind"]) in LATER or (kind in KINDS and said["body"].keys() & LATER):
            self.behind = self.behind or f"fact {number} ({kind})"
        if kind not in KINDS or self.behind: return
        body, given = said["body"] | {"number": number}, "maker" if kind == "enrol" else kind
        for field in body.keys() - {given}: self.check(field, body[field])
        match kind:
            case "enrol": demand(":" not in body["maker"], body["maker"], "has a colon in their name")
            case "work":
                demand(sum(part["ppm"] for part in body["makers"]) in (0, PPM), body["work"], "is not made whole")
                demand(body["role"] in ("data", "prompt", "deployment"), body["work"], "has no role that is known")
                self.works[body["work"]] = Work(body["role"], body)
            case "model" | "output" | "dataset":
                self.works[body[kind]] = Work(kind, body)
                self.pass_on(dict.fromkeys(body.get("works", ()), 1), {body[kind]: 1})
            case "standard":
                self.skills = SIMPLE | {one["skill"]: (one["num"], one["den"]) for one in body["reductions"]}
                self.rates = {one["device"]: one["uslh_per_hour"] for one in body["machines"]}
            case "labour": self.labour(body)
            case "compute":
                demand(self.known["maker"][body["machine"]]["form"] == "machine", body["machine"], "is not a machine")
                per_hour = self.rates.get(body["device"])  # without a rate the time is kept, but is no labour
                amount = None if per_hour is None else rounded(body["device_us"] * per_hour, HOUR_US)
                self.works[body["work"]].receive({f"external|machine|{body['device']}": amount})
            case "purchase":
                self.works[body["work"]].receive({f"external|{body['source']}|{body['item']}": body["embodied_uslh"]})
            case "plan": self.works[body["work"]].plan(body["uses"])
            case "make": self.make(body)
            case "influence":  # money follows effects: they are claimed for works that trained the model, and no others
                sets = [self.works[name].members for name in self.works[body["model"]].members if name in self.works]
                strangers = {one["work"] for one in body["effects"]}.difference(*sets)
                demand(not strangers, body["influence"], f"claims works that did not train {body['model']}")
            case "sale": self.sale(body)
            case "settlement": self.settle(body, number, root)
            case "payment":
                self.owed[body["maker"], body["currency"]] -= body["amount_micro"]
                demand(self.owed[body["maker"], body["currency"]] >= 0, body["payment"], "pays more than is owed")
        if given in body: self.take_name(SPACES.get(kind, given), body[given], body)
    def take_name(self, space: str, name: str, body: Fields) -> None:
        """A name is given once: a second work, policy or sale of that name would rewrite the first."""
        demand(NAME.fullmatch(name) and name not in self.known[space], f"{space} {name[:60]!r}", "is taken, or no name")
        self.known[space][name] = body
    def found(self, space: str, **fields: str) -> list[Fields]:
        return [one for one in self.known[space].values() if all(one[field] == fields[field] for field in fields)]
    def check(self, name: str, value: Any) -> None:
        """Refuse a field that is not what its name says, and a maker or work that was not recorded before."""
        if name in LISTS:
            items = [item if isinstance(item, dict) else {LISTS[name]: item} for item in value]
            demand(len({item[LISTS[name]] for item in items}) == len(items), name, "names one twice")
            for field, inner in [pair for item in items for pair in item.items()]: self.check(field, inner)
        elif name in NUMBERS and (value is not None or name not in ("labour_us", "embodied_uslh")):
            demand(type(value) is int and NUMBERS[name][0] <= value <= NUMBERS[name][1], name, f"is {value!r}")
        elif name in ("day", "period"):
            demand(re.fullmatch("[0-9]{4}(-[0-9]{2}(-[0-9]{2})?)?", value), name, f"is {value!r}")
        elif name in ("maker", "machine", "work", "output"):
            demand(value in self.known["maker" if name[0] == "m" else "work"], f"{name} {value!r}", "is not recorded")
    def check_signature(self, said: Fields, signature: Fields) -> None:
        """A maker's own signature, by a key that a `key` fact gave them."""
        key = self.known["key"][signature["key"]]
        message = f"gongfen/fact/v1\n{self.origin}\n".encode() + canonical(said)
        holds = signed_by(b64decode(key["public"]), message, b64decode(signature["ed25519"]))
        demand(holds and key["maker"] == said["by"], said["id"], f"is not signed by {said['by']}")
        self.signed += 1
    def labour(self, body: Fields) -> None:
        """Measured time becomes simple labour; a day has 24 hours for each head."""
        maker, us, days = self.known["maker"][body["maker"]], body["labour_us"], body["days"]
        demand(maker["form"] != "machine", body["maker"], "is a machine and does no living labour")
        if us is None: return self.works[body["work"]].receive({})  # not measured is not none: it cannot be booked
        for day in range(days):
            when = body["maker"], date.fromisoformat(body["day"]) + timedelta(day)
            self.days[when] += us * (day + 1) // days - us * day // days
            demand(self.days[when] <= 24 * HOUR_US * maker["people"], body["maker"], f"works over 24 h on {when[1]}")
        num, den = self.skills[body["skill"]]
        source = "|".join(str(body[name]) for name in ("labour_kind", "phase", "standing", "quality", "maker"))
        source += f"|{body['skill']}|{num}|{den}" * ((body["skill"], num, den) != ("simple", 1, 1))
        if body["labour_kind"] != 8:  # business (8) is circulation: it adds nothing to a work
            self.works[body["work"]].receive({f"living|{source}": rounded(us * num * HOUR_USLH, den * HOUR_US)})
    def make(self, body: Fields) -> None:
        """Labour passes on from what is used; a model remembers its data sets, an output its model."""
        inputs = {one["work"]: one["uses"] for one in body["inputs"]}
        again = any(one in inputs or self.works[one].begun for one in body["outputs"])
        demand(body["outputs"] and not again, body["make"], "makes nothing new")
        used = {kind: [one for one in inputs if self.works[one].kind == kind] for kind in ("dataset", "model")}
        for made in [self.works[name] for name in body["outputs"]]:
            made.members += used["dataset"] if made.kind == "model" else []
            made.model = used["model"][0] if made.kind == "output" and used["model"] else made.model
        self.pass_on(inputs, {name: self.works[name].quantity for name in body["outputs"]})
    def pass_on(self, inputs: Shares, outputs: Shares) -> None:
        """The labour of so many uses of each input goes into the outputs, by their quantity, source by source."""
        gathered, made = Counter[str](), {self.works[one].kind for one in outputs}
        for work, uses in inputs.items():
            again = self.works[work].kind == "output" and "output" not in made  # what was living then is past now
            for source, amount in self.works[work].use(uses).items():
                gathered[LIVING.sub(r"\1recycled|", source) if again else source] += amount
        divided = {source: apportion(amount, outputs) for source, amount in gathered.items()}
        for output in outputs: self.works[output].receive({source: parts[output] for source, parts in divided.items()})
    # ── 6. What did each sale carry? ──────────────────────────────────────────────────────────────────────────────────
    def sale(self, body: Fields) -> None:
        """The living labour that is in the output now. What is added later cannot claim the price."""
        sold, body["living"] = self.works[body["output"]], Counter[str]()
        demand(sold.kind == "output", body["output"], f"is sold, but is a {sold.kind}")
        self.check_open(body["currency"], str(date.fromisoformat(body["day"])))
        for source in sold.made_of:
            if source.startswith("living|"): body["living"][source.split("|")[5]] += sold.made_of[source]
    def check_open(self, currency: str, period: str) -> None:
        """What is settled stays settled."""
        for one in self.found("settlement", currency=currency):
            clash = period.startswith(one["period"]) or one["period"].startswith(period)
            demand(not clash, f"period {period}", f"is settled by {one['settlement']}")
    # ── 7. What is each maker owed? ───────────────────────────────────────────────────────────────────────────────────
    def settle(self, said: Fields, number: int, root: Any) -> None:
        """A settlement follows from the facts before it, to the cent: here it is computed again."""
        thing, period, rule = f"settlement {said['settlement']}", said["period"], self.known["policy"][said["policy"]]
        currency, coin, beta = rule["currency"], rule["coin_micro"], rule["beta_ppm"]
        self.check_open(currency, period)
        sales = [one for one in self.found("sale", currency=currency) if one["day"].startswith(period)]
        demand(sales, thing, "has no sales")
        stood = [one for one in self.found("policy", currency=currency) if one["number"] < sales[0]["number"]]
        demand(stood and stood[-1] is rule, thing, "goes by a policy that was not in force at its first sale")
        measured = self.found("influence", grade="settlement", target=f"period:{period}:{currency}")[-1:]
        models = {self.works[one["output"]].model for one in sales} - {""}
        demand(all(models <= {one["model"]} for one in measured), thing, "rests on influence on another model")
        labour, effects = Counter[str](), Counter[str]()
        for one in sales:  # each price is divided by the living labour in what was sold
            labour.update(apportion(one["price_micro"], one["living"] if one["living"].total() else {NOBODY: 1}))
        for effect in [effect for one in measured for effect in one["effects"] if effect["effect_nnat"] > 0]:
            for part in self.works[effect["work"]].makers or [{"maker": NOBODY, "ppm": PPM}]:
                effects[part["maker"]] += effect["effect_nnat"] * part["ppm"]
        demand(beta == PPM or effects.total(), thing, "shares by influence that nobody measured")
        income = sum(one["price_micro"] for one in sales)
        carried = sum(one["carried_out_micro"] for one in self.found("settlement", currency=currency)[-1:])
        pool = income * rule["pool_ppm"] // PPM + carried
        coins, for_labour = pool // coin, pool // coin * beta // PPM
        by_labour = apportion(for_labour, labour if labour.total() else {NOBODY: 1})
        by_effect = apportion(coins - for_labour, effects if effects.total() else {NOBODY: 1})
        both = {one: (by_labour.get(one, 0) * coin, by_effect.get(one, 0) * coin) for one in {*by_labour, *by_effect}}
        nobody = sum(both.pop(NOBODY, ()))  # what has no known maker
        lines = [{"maker": maker, "labour_micro": both[maker][0], "influence_micro": both[maker][1],
                  "amount_micro": sum(both[maker])} for maker in sorted(both)]
        due = {"standard": self.found("standard")[-1]["standard"], "size": number, "root": root().hex(), "lines": lines,
               "influence": measured[0]["influence"] if measured and beta < PPM else None, "sales_micro": income,
               "carried_in_micro": carried, "pool_micro": pool, "total_micro": coins * coin, "currency": currency,
               "unidentified_micro": nobody, "carried_out_micro": pool % coin}
        for field in due:
            reason = f"claims {field} {said[field]}; the facts give {due[field]}"
            demand(canonical(said[field]) == canonical(due[field]), thing, reason, "do not pay by it")
        self.owed.update({(maker, currency): sum(both[maker]) for maker in both})
# ── The audit, question by question, and its report ───────────────────────────────────────────────────────────────────
LIMITS = """Not proved: that the facts are true of the world; that everything was recorded, and when; that nobody was
shown another log, unless witnesses whom you trust have seen this one; that money arrived; who was right."""
def audit(parts: Parts, key: str = "", since: bytes = b"", witnesses: str = "", quorum: int | None = None) -> list[str]:
    """The report of all that holds, a line each; what does not hold is refused."""
    keys = [Key(line) for line in (key or parts["key"].decode()).split()]
    signed = Checkpoint(parts["checkpoint"], keys, "checkpoint")
    *facts, end = parts["facts.jsonl"].split(b"\n")
    tree, size = Tree(facts), signed.size
    whole = keys and not end and len(facts) == size and len(parts["leaves"]) == 32 * size
    demand(whole, "bundle", f"holds {len(facts)} facts, where {size} are signed")
    for number, leaf in enumerate(tree.leaves):
        demand(parts["leaves"][32 * number :][:32] == leaf, f"fact {number}", "was altered")
    demand(tree.root(0, size) == signed.root, "bundle", "does not lead to the signed root")
    report = [f"It holds. Log {signed.origin}, {size} facts, root {signed.root.hex()}"]
    report += [f"Signed by {one.line:.150}{'' if key else ', the key that came with the bundle'}" for one in keys]
    spare = {raw[:4] for name, raw in signed.signatures if name == signed.origin} - {one.id for one in keys}
    report += [f"NOT CHECKED: another signature of the book, by key {one.hex()}; name it too: --key" for one in spare]
    proven = {from_json(line, "proofs.jsonl")["seq"]: line for line in parts["proofs.jsonl"].splitlines()}
    for number, line in proven.items():
        path = tree.path(number, 0, size) if 0 <= number < size else None
        demand(canonical({"path": path, "seq": number}) == line, f"fact {number}", "has a false proof of inclusion")
    if since:
        older = Checkpoint(since, keys, "older checkpoint")
        grown = older.size <= size and tree.root(0, older.size) == older.root
        demand(grown, "bundle", "does not begin with the log of the older checkpoint", "keep both: they are evidence")
        report.append(f"Nothing was rewritten since the older checkpoint of {older.size} facts")
    seen = {one.public: (one.name, max(times)) for one in map(Key, witnesses.split()) if (times := signed.times(one))}
    names, due = ", ".join(name for name, _ in seen.values()), len(witnesses.split()) if quorum is None else quorum
    demand(len(seen) >= due, "checkpoint", f"has too few cosignatures: {names or 'none'}", "ask for more")
    report += [f"Cosigned by {name} at {datetime.fromtimestamp(time, UTC)}" for name, time in seen.values()]
    books = Books(signed.origin)
    for number, line in enumerate(facts):
        try:
            said, signature = read_fact(line, parts)
            demand(number in proven or said["kind"] not in RULES, said["kind"], "has no inclusion proof of its own")
            books.book(number, said, signature, partial(tree.root, 0, number))
        except Exception as no:  # a fact that breaks the books, in whatever way, is refused
            raise Refused(f"fact {number}: {no if isinstance(no, Refused) else repr(no)}") from None
    sums = {name: sha256(parts[name]).hexdigest() for name in sorted({*parts} - {"SHA256SUMS"})}
    listed = "".join(f"{sums[name]}  {name}\n" for name in sums).encode() == parts["SHA256SUMS"]
    blobs = all(name[6:] == sums[name] for name in sums if name.startswith("blobs/"))
    demand(blobs and listed, "bundle", "has a part that is not what SHA256SUMS says")
    report.append(f"Inclusion proofs: {len(proven)}; signatures of makers: {books.signed}")
    settled = [(one["settlement"], money(one["total_micro"], one["currency"])) for one in books.found("settlement")]
    report += [f"{name} follows from the facts: {total} to share" for name, total in settled]
    report += [f"NOT RECOMPUTED from {books.behind} on, nor what is owed: use gongfen verify"] * bool(books.behind)
    owed = [(maker, money(micro, currency)) for (maker, currency), micro in sorted(books.owed.items())]
    return [*report, *[f"  {maker} is owed {amount}" for maker, amount in owed], LIMITS]
def money(micro: int, currency: str) -> str: return f"{currency} {micro // PPM}.{micro % PPM:06}"
def text(given: list[str]) -> str: return " ".join(it if "+" in it else Path(it).read_text() for it in given)
def main() -> int:
    parser = argparse.ArgumentParser(description="Check an audit bundle of a Gongfen book, without Gongfen.")
    parser.add_argument("bundle", type=Path, help="audit.zip, or the folder in which it was unpacked")
    parser.add_argument("--key", action="append", default=[], help="the key that the book published, or its file")
    parser.add_argument("--since", type=Path, help="an older checkpoint, which this log must extend")
    parser.add_argument("--witness", action="append", default=[], help="the key of a witness, or its file; repeatable")
    parser.add_argument("--quorum", type=int, help="how many witnesses must have cosigned it; else all")
    args = parser.parse_args()
    try:
        key, witnesses, older = text(args.key), text(args.witness), args.since.read_bytes() if args.since else b""
        said = "\n".join(audit(read_parts(args.bundle), key, older, witnesses, args.quorum))
        code = 3 if "NOT RECOMPUTED" in said else 0
    except Exception as no:  # whatever goes wrong on hostile bytes is a refusal, and never a pass
        said, code = f"{no}" if isinstance(no, Refused) else f"bundle cannot be read: {no!r}\n  → {ASK}", 2
    shown = "".join(sign if sign.isprintable() or sign == "\n" else "?" for sign in said)
    print(shown, file=sys.stderr if code == 2 else sys.stdout)
    return code
if __name__ == "__main__": sys.exit(main())
