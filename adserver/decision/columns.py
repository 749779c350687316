"""The compiled catalog's columns: what of each flight and creative is a number, read where it lies."""

from adserver.decision.image import Image


class Columns:
    """One value a flight, creative or member of a list, by position. Immutable, shared by all threads.

    Ranges: what belongs to position `at` stands from `first[at]` to before `first[at + 1]`.
    """

    __slots__ = (
        "creative_disclosed",
        "creative_longs",
        "creative_names",
        "creative_shorts",
        "flight_creative_weights",
        "flight_creatives",
        "flight_creatives_first",
        "flight_ends",
        "flight_excluded_places",
        "flight_excluded_places_first",
        "flight_excluded_topics",
        "flight_excluded_topics_first",
        "flight_flags",
        "flight_goals",
        "flight_longs",
        "flight_names",
        "flight_parts",
        "flight_places",
        "flight_places_first",
        "flight_shorts",
        "flight_starts",
        "flight_topics",
        "flight_topics_first",
        "flight_windows",
    )  # fmt: skip

    def __init__(self, image: Image) -> None:
        """Take the columns of an image.

        Raises:
            ImageUnreadable: it lacks one.
        """
        self.flight_starts = image.numbers("flight_starts", "q")
        """Seconds since 1970, inclusive."""
        self.flight_ends = image.numbers("flight_ends", "q")
        """Seconds since 1970, exclusive."""
        self.flight_goals = image.numbers("flight_goals", "q")
        """Net impressions, -1: none."""
        self.flight_parts = image.numbers("flight_parts", "Q")
        """Percent of a sponsorship, else weight."""
        self.flight_flags = image.numbers("flight_flags", "H")
        """Bits of `Flag`."""
        self.flight_places = image.numbers("flight_places", "I")
        """Numbers of the places under which a flight is listed."""
        self.flight_places_first = image.numbers("flight_places_first", "I")
        self.flight_topics = image.numbers("flight_topics", "I")
        """Numbers of the topics under which a flight is listed."""
        self.flight_topics_first = image.numbers("flight_topics_first", "I")
        self.flight_excluded_places = image.numbers("flight_excluded_places", "I")
        """Numbers of the places and circles in which a flight does not run."""
        self.flight_excluded_places_first = image.numbers("flight_excluded_places_first", "I")
        self.flight_excluded_topics = image.numbers("flight_excluded_topics", "I")
        self.flight_excluded_topics_first = image.numbers("flight_excluded_topics_first", "I")
        self.flight_windows = image.numbers("flight_windows", "I")
        """Numbers of the windows of `Meta`, 0: it runs at all hours."""
        self.flight_names = image.numbers("flight_name", "I")
        """The least grapheme clusters of the length among its creatives without a disclosure; so the next two."""
        self.flight_shorts = image.numbers("flight_short", "I")
        self.flight_longs = image.numbers("flight_long", "I")
        self.flight_creatives = image.numbers("flight_creatives", "I")
        """Positions of a flight's creatives."""
        self.flight_creatives_first = image.numbers("flight_creatives_first", "I")
        self.flight_creative_weights = image.numbers("flight_creative_weights", "Q")
        self.creative_names = image.numbers("creative_name", "I")
        """Grapheme clusters of the length, more than any limit where there is none; so the next two."""
        self.creative_shorts = image.numbers("creative_short", "I")
        self.creative_longs = image.numbers("creative_long", "I")
        self.creative_disclosed = image.numbers("creative_disclosed", "B")
        """1 where it has a disclosure."""
