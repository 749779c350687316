"""What a draft would get: `POST /v1/forecast`."""

import json
import re
from typing import Final

from flask import Blueprint, Response

from adserver.catalog.desk import Upload, UploadKind, placing_faults, read_documents
from adserver.catalog.merging import Extent
from adserver.domain.errors import ParameterRefused
from adserver.web.auth import Authenticator, require
from adserver.web.bodies import read_single, read_upload
from adserver.web.forecaster import SEED, Forecaster
from adserver.web.limits import CallLimit, caller_key
from adserver.web.store_gate import StoreGate

_SEED: Final = re.compile(r"[0-9]{1,9}")


def forecast_blueprint(
    forecaster: Forecaster, authenticator: Authenticator, limit: CallLimit, gate: StoreGate
) -> Blueprint:
    """Return the route; a token of any role may ask, one bound to advertisers for drafts of theirs only."""
    blueprint = Blueprint("forecast", __name__)

    @blueprint.post("/v1/forecast")
    def forecast() -> Response:
        caller = require(authenticator)
        limit.take(caller_key())
        seed = _read_seed()
        data, form = read_upload(may_be_sheet=True)
        bound = None if caller.advertisers is None else tuple(sorted(caller.advertisers))
        upload = Upload(
            UploadKind.CAMPAIGNS,
            data,
            form,
            Extent.NAMED,
            caller.name,
            message="",
            base=None,
            dry_run=True,
            advertisers=bound,
        )
        with gate.entered(), placing_faults(upload):
            found = forecaster.forecast(read_documents(upload), seed, caller.advertisers)
        response = Response(json.dumps(found.to_json(caller.sees)), content_type="application/json")
        response.headers["Cache-Control"] = "private, no-store"
        return response

    return blueprint


def _read_seed() -> int:
    text = read_single("seed")
    if text is None:
        return SEED
    if _SEED.fullmatch(text) is None:
        raise ParameterRefused("seed", "takes a whole number of at most nine digits")
    return int(text)
