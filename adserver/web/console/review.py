"""The page between a draft and its publication: the plan, what readers will see, a reason, and the button."""

from dataclasses import dataclass
from typing import Final

from flask import Response, flash, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from adserver.catalog.texts import MESSAGE_CHARS, TextRefused, clean_message
from adserver.domain.errors import StaleBase
from adserver.web.auth import Principal
from adserver.web.console.drafts import Draft
from adserver.web.console.proposals import Proposal, Proposer
from adserver.web.console.shell import url_if_there

_LONGEST_NUMBER: Final = 15


@dataclass(frozen=True, slots=True)
class ReviewDesk:
    """Shows drafts for review, and publishes what was reviewed. Immutable, shared by all threads."""

    proposer: Proposer

    def show(self, draft: Draft, caller: Principal, action: str, back: str) -> AnyResponse:
        """Return the page of a draft's plan.

        Args:
            draft: what is to be published.
            caller: who wants it.
            action: where the page's form goes.
            back: what its button back is called.

        Raises:
            AdserverError: see `Proposer.propose`.
        """
        return self._page(draft, caller, action, back, 200)

    def publish(self, draft: Draft, caller: Principal, action: str, back: str) -> AnyResponse:
        """Publish what the present form holds, and lead to what became of it; show the new plan where that is stale.

        Raises:
            AdserverError: see `Proposer.publish`.
        """
        try:
            message = clean_message(request.form.get("message", ""))
        except TextRefused as refused:
            return self._page(draft, caller, action, back, 422, message_fault=f"The reason {refused}.")
        base = form_number(request.form.get("base", ""))
        try:
            outcome = self.proposer.publish(draft, caller, message, base)
        except StaleBase as error:
            newest = None if caller.is_bound else self.proposer.newest()
            return self._page(draft, caller, action, back, 409, stale=error, newest=newest)
        if outcome.revision == outcome.base:
            flash(f"Nothing was different: revision {outcome.live} stays live.", "info")
        else:
            flash(f"Published: revision {outcome.live} serves within a second.", "success")
        return redirect(_way_on(request.form.get("campaign", ""), outcome.live, caller), 303)

    def _page(self, draft: Draft, caller: Principal, action: str, back: str, status: int, **more: object) -> Response:
        proposal = self.proposer.propose(draft, caller)
        page = render_template(
            "console/review.html",
            proposal=proposal,
            draft=carried(draft, proposal),
            action=action,
            back=back,
            message=request.form.get("message", ""),
            message_chars=MESSAGE_CHARS,
            **more,
        )
        return make_response(page, status)


def carried(draft: Draft, proposal: Proposal) -> Draft:
    """Return a draft as forms carry it on: sheets as the files that were read from them."""
    if draft.text is not None:
        return draft
    return Draft.of_files(proposal.files)


def form_number(text: str) -> int:
    """Return the revision that a form names; 0, which is never live once something is, for what is none."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= _LONGEST_NUMBER else 0


def _way_on(campaign: str, revision: int, caller: Principal) -> str:
    """Return where somebody goes after publishing: to the campaign, else to the revision."""
    page = url_if_there("console_campaigns.one", campaign=campaign) if campaign else None
    if page is not None:
        return page
    if caller.is_bound:
        return url_if_there("console_campaigns.listing") or url_for("console.overview")
    return url_if_there("console_revisions.one", number=revision) or url_for("console.overview")
