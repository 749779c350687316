"""Makes the pages of the console that change what is live, and those that show it beforehand."""

from adserver.catalog.desk import UploadDesk
from adserver.catalog.publish import Publisher
from adserver.places.gazetteer import Gazetteer
from adserver.web.console.change import change_section
from adserver.web.console.history import HistoryParts, revisions_section
from adserver.web.console.navigation import Section
from adserver.web.console.preview import preview_section
from adserver.web.console.proposals import Proposer
from adserver.web.console.review import ReviewDesk
from adserver.web.console.upload import upload_section
from adserver.web.limits import CallLimit
from adserver.web.store_gate import StoreGate


def change_sections(
    publisher: Publisher, desk: UploadDesk, gazetteer: Gazetteer, uploads: CallLimit, gate: StoreGate
) -> tuple[Section, ...]:
    """Return them in the order of the navigation.

    Args:
        publisher: what is live, and was.
        desk: takes changes.
        gazetteer: finds places.
        uploads: how often somebody may send changes.
        gate: how many calls may be with the store at once.
    """
    proposer = Proposer(desk, publisher, uploads, gate)
    reviews = ReviewDesk(proposer)
    return (
        change_section(reviews, publisher, gate),
        upload_section(reviews),
        preview_section(publisher, proposer, gazetteer, gate),
        revisions_section(HistoryParts(publisher, desk, uploads, gate)),
    )
