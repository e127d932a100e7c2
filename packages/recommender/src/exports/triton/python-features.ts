/**
 * The part of `model.py` that makes features of the columns of a log, as the feature pipeline does (`@nimue/data`): from what it
 * learned in training, kept in `prepare.json`. It goes before the step itself.
 */
export const PYTHON_FEATURES = `import base64
import bisect
import datetime
import math
import zoneinfo

DAY_MS = 86_400_000


class Events:
    """The events of one session, oldest first: raw item ids, milliseconds since 1970 UTC, columns of the log."""

    def __init__(self, items, times, columns):
        self.items, self.times, self.columns = items, times, columns

    def texts(self, name):
        """None where a cell is missing, which an empty text stands for."""
        return [text or None for text in self.columns[f"text_{name}"]]

    def numbers(self, name):
        return [float(number) for number in self.columns[f"number_{name}"]]


def mix32(x):
    x = ((x ^ (x >> 16)) * 0x7FEB352D) & 0xFFFFFFFF
    x = ((x ^ (x >> 15)) * 0x846CA68B) & 0xFFFFFFFF
    return x ^ (x >> 16)


def hash_text(text):
    value = 0x811C9DC5 ^ mix32(0)
    units = text.encode("utf-16-le", "surrogatepass")
    for unit in units:
        value = ((value ^ unit) * 0x01000193) & 0xFFFFFFFF
    return mix32(value)


def categorify(config, state):
    hashed = config.get("hashBuckets", 0)
    id_of = {value: 2 + hashed + i for i, value in enumerate(state["values"])}

    def make(events):
        def id_of_text(text):
            if text is None:
                return 0
            return id_of.get(text, 2 + hash_text(text) % hashed if hashed else 1)

        return {config.get("as", config["column"]): [id_of_text(text) for text in events.texts(config["column"])]}

    return make


def bucketise(config, state):
    limits = state["boundaries"] or []
    name = config.get("as", f"bucket_{config['column']}")

    def make(events):
        numbers = events.numbers(config["column"])
        return {name: [1 + bisect.bisect_right(limits, x) if math.isfinite(x) else 0 for x in numbers]}

    return make


def number_feature(config, name, apply, mean):
    missing = config.get("missing", "mean")
    if missing == "mean":
        stand_in = mean
    else:
        stand_in = None if missing == "error" else apply(missing)

    def make(events):
        numbers = events.numbers(config["column"])
        known = [math.isfinite(x) for x in numbers]
        if stand_in is None and not all(known):
            raise ValueError(f"number_{config['column']}: a value is missing and must not")
        columns = {name: [apply(x) if there else stand_in for x, there in zip(numbers, known)]}
        if config.get("indicator"):
            columns[f"{name}_missing"] = [0.0 if there else 1.0 for there in known]
        return columns

    return make


def log_one_plus(x):
    if x < 0:
        raise ValueError(f"{x}: a logarithm needs numbers of at least 0")
    return math.log1p(x)


def log(config, state):
    return number_feature(config, config.get("as", f"log_{config['column']}"), log_one_plus, state["mean"])


def min_max(config, state):
    low, high, moments = state["low"], state["high"], state["moments"]

    def apply(x):
        return 0.0 if low is None or low == high else min(1.0, max(0.0, (x - low) / (high - low)))

    mean = apply(moments["mean"]) if moments["count"] else 0.0
    return number_feature(config, config.get("as", f"scaled_{config['column']}"), apply, mean)


def standardise(config, state):
    deviation = math.sqrt(state["squares"] / state["count"]) if state["count"] else 0.0

    def apply(x):
        return ((log_one_plus(x) if config.get("log") else x) - state["mean"]) / (deviation or 1.0)

    return number_feature(config, config.get("as", f"standard_{config['column']}"), apply, 0.0)


def cyclic_time(config, _state):
    zone = zoneinfo.ZoneInfo(config.get("timeZone", "UTC"))
    name = config.get("as", config["of"])

    def share(time_ms):
        offset = datetime.datetime.fromtimestamp(time_ms / 1000, zone).utcoffset()
        local = time_ms + offset.total_seconds() * 1000
        if config["of"] == "hour":
            return local / DAY_MS - local // DAY_MS
        if config["of"] == "weekday":
            return (local // DAY_MS + 3) % 7 / 7
        return (datetime.datetime.fromtimestamp(time_ms / 1000, zone).month - 1) / 12

    def make(events):
        angles = [2 * math.pi * share(time) for time in events.times]
        return {f"{name}_sin": [math.sin(a) for a in angles], f"{name}_cos": [math.cos(a) for a in angles]}

    return make


def elapsed(config, _state):
    longest = config.get("maxSeconds", math.inf)

    def make(events):
        pauses = [min(longest, (now - before) / 1000) for before, now in zip(events.times, events.times[1:])]
        values = [0.0] + [math.log1p(s) if config.get("log", True) else s for s in pauses]
        return {config.get("as", "elapsed"): values[: len(events.times)]}

    return make


def item_recency(config, state):
    first_seen = dict(state["firstSeenMs"])

    def make(events):
        days = [max(0.0, (t - first_seen.get(item, t)) / DAY_MS) for item, t in zip(events.items, events.times)]
        return {config.get("as", "itemRecency"): [math.log1p(d) if config.get("log", True) else d for d in days]}

    return make


def popularity_so_far(config, state):
    count_of = {key: count for key, count, _ in state}

    def make(events):
        counts = [count_of.get(item, 0) for item in events.items]
        return {config.get("as", "popularity"): [math.log1p(n) if config.get("log", True) else n for n in counts]}

    return make


def relative_price(config, state):
    mean_of = {category: moments["mean"] for category, moments in state["categories"]}

    def make(events):
        values = []
        for price, category in zip(events.numbers(config["column"]), events.texts(config["category"])):
            mean = mean_of.get(category, 0.0)
            values.append((price - mean) / mean if math.isfinite(price) and mean != 0 else config.get("missing", 0))
        return {config.get("as", "relativePrice"): values}

    return make


def target_statistic(config, state):
    sums = {category: (count, total) for category, count, total in state["categories"]}
    count, total = next(((count, total) for _, count, total in state["all"]), (0, 0.0))
    mean = total / count if count else 0.0
    smoothing = config.get("smoothing", 20)

    def statistic(category):
        own_count, own_sum = sums.get(category, (0, 0.0))
        weight = own_count + smoothing
        return (own_sum + smoothing * mean) / weight if weight else mean

    name = config.get("as", f"{config['target']}_by_{config['column']}")
    return lambda events: {name: [statistic(category) for category in events.texts(config["column"])]}


def pretrained_vectors(config, state):
    ids = state["itemIds"]
    vectors = np.frombuffer(base64.b64decode(state["float32Base64"]), "<f4").reshape(len(ids), -1)
    row_of = {item: row for row, item in enumerate(ids)}
    missing = config.get("missing", "zeros")
    other = vectors.mean(0, np.float64) if missing == "mean" else np.zeros(vectors.shape[1])

    def make(events):
        if missing == "error" and any(item not in row_of for item in events.items):
            raise ValueError("an item has no pretrained vector and must have one")
        rows = [vectors[row_of[item]] if item in row_of else other for item in events.items]
        return {f"{config.get('as', 'vector')}_{d}": [row[d] for row in rows] for d in range(vectors.shape[1])}

    return make


FEATURES = {
    "bucketise": bucketise,
    "categorify": categorify,
    "cyclicTime": cyclic_time,
    "elapsed": elapsed,
    "itemRecency": item_recency,
    "log": log,
    "minMax": min_max,
    "popularitySoFar": popularity_so_far,
    "pretrainedVectors": pretrained_vectors,
    "relativePrice": relative_price,
    "standardise": standardise,
    "targetStatistic": target_statistic,
}
`;
