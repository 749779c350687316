"""Settings: read from the environment once, checked, and from then on passed as values.

A value that is empty counts as unset. A wrong one stops the start with the setting's name and what it takes.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Self

from adserver import config_values
from adserver.config_alerts import ALERT_SETTINGS, NO_ALERT_WAYS, AlertWays
from adserver.config_setting import Setting
from adserver.config_values import LogFormat, Network
from adserver.domain.errors import SettingRefused
from adserver.store.address import TAKES, RedisAddress, parse_address

REDIS_URL: Final[Setting[str | None]] = Setting(
    "ADSERVER_REDIS_URL",
    None,
    "unset",
    "address",
    TAKES,
    "Where counts and revisions are kept. Unset: an embedded Redis in the data folder.",
    config_values.redis_url,
)
DATA_DIR: Final = Setting(
    "ADSERVER_DATA_DIR",
    Path(".adserver"),
    "./.adserver",
    "folder",
    "the path of a folder on a local disk",
    "Spools, the last good catalog, keys, the embedded Redis. One service a folder.",
    config_values.path,
)
CAMPAIGNS_DIR: Final = Setting(
    "ADSERVER_CAMPAIGNS_DIR",
    Path("campaigns"),
    "./campaigns",
    "folder",
    "the path of a folder",
    "The campaign files.",
    config_values.path,
)
PUBLIC_URL: Final[Setting[str | None]] = Setting(
    "ADSERVER_PUBLIC_URL",
    None,
    "unset",
    "address",
    "an http:// or https:// address, with a path or without",
    "What links and beacons begin with. Unset: the host that the request names.",
    config_values.base_url,
)
ALLOWED_HOSTS: Final[Setting[frozenset[str]]] = Setting(
    "ADSERVER_ALLOWED_HOSTS",
    frozenset(),
    "none",
    "host names, by comma",
    "host names without port, separated by commas",
    "Further names in `Host`. The public address's own and loopback are always allowed.",
    config_values.host_names,
)
HOME_URL: Final[Setting[str | None]] = Setting(
    "ADSERVER_HOME_URL",
    None,
    "unset",
    "address",
    "an http:// or https:// address",
    "Where links with an unreadable token lead. Unset: the first site's `home`.",
    config_values.page_url,
)
SECRET_KEYS: Final[Setting[tuple[bytes, ...]]] = Setting(
    "ADSERVER_SECRET_KEYS",
    (),
    "made once, kept in the data folder",
    "keys, by comma",
    "keys of 16 to 64 bytes, separated by commas, newest first, each in hex, or else in base64url",
    "What tokens are signed with: the first signs, all are read. Must be set where Redis is on another host.",
    config_values.secret_keys,
)
ADMIN_TOKEN: Final[Setting[str | None]] = Setting(
    "ADSERVER_ADMIN_TOKEN",
    None,
    "made once, kept in the data folder",
    "text",
    "16 to 512 visible ASCII characters",
    "The first token of the API. Unset: see the file `admin-token` in the data folder.",
    config_values.admin_token,
)
TRUSTED_PROXIES: Final[Setting[tuple[Network, ...]]] = Setting(
    "ADSERVER_TRUSTED_PROXIES",
    (),
    "none",
    "addresses or networks, by comma",
    "addresses or networks such as 10.0.0.0/8, separated by commas",
    "Whose `X-Forwarded-For` and `X-Forwarded-Proto` are believed.",
    config_values.networks,
)
WORKERS: Final = Setting(
    "ADSERVER_WORKERS",
    2,
    "2",
    "processes",
    f"a whole number from 1 to {config_values.MAX_WORKERS}",
    "How many processes answer requests.",
    config_values.workers,
)
SPOOL_RETENTION_HOURS: Final = Setting(
    "ADSERVER_SPOOL_RETENTION_HOURS",
    24,
    "24",
    "hours",
    f"a whole number from 1 to {config_values.MOST_RETENTION_HOURS}",
    "How long what was recorded stays in the spools after it was counted; then it is archived.",
    config_values.retention_hours,
)
ARCHIVE_DAYS: Final = Setting(
    "ADSERVER_ARCHIVE_DAYS",
    400,
    "400",
    "days",
    f"a whole number from 0 to {config_values.MOST_ARCHIVE_DAYS}; 0 keeps for ever",
    "How long the archive keeps what was recorded.",
    config_values.archive_days,
)
ROLL_UP_DAYS: Final = Setting(
    "ADSERVER_ROLL_UP_DAYS",
    35,
    "35",
    "days",
    f"0, or a whole number from {config_values.LEAST_ROLL_UP_DAYS} to {config_values.MOST_ROLL_UP_DAYS}; 0 never",
    "After how long counts by the hour become counts by the day, places' days months, sketches of readers numbers.",
    config_values.roll_up_days,
)
LOG_FORMAT: Final = Setting(
    "ADSERVER_LOG_FORMAT",
    LogFormat.CONSOLE,
    "console",
    "word",
    "console or json",
    "How log lines are written.",
    config_values.log_format,
)
DEMO: Final = Setting(
    "ADSERVER_DEMO",
    False,  # noqa: FBT003 - a default among other settings' defaults
    "off",
    "yes or no",
    "1, true, yes, on, or 0, false, no, off",
    "Whether `/demo/` is served.",
    config_values.flag,
)
GEOIP_DB: Final[Setting[Path | None]] = Setting(
    "ADSERVER_GEOIP_DB",
    None,
    "unset",
    "file",
    "the path of a file in MaxMind's format, with towns",
    "Where readers are by their address, for pages that name no place. Unset: such pages have none.",
    config_values.path,
)
RATE_EVENTS: Final = Setting(
    "ADSERVER_RATE_EVENTS",
    2000,
    "2000",
    "events in 10 s",
    f"a whole number from 0 to {config_values.MAX_RATE_EVENTS}",
    "How many events one /24 or /48 may send a worker before the rest is invalid, `rate`. 0: any number.",
    config_values.rate_events,
)

SETTINGS: Final[tuple[Setting[object], ...]] = (
    REDIS_URL,
    DATA_DIR,
    CAMPAIGNS_DIR,
    PUBLIC_URL,
    ALLOWED_HOSTS,
    HOME_URL,
    SECRET_KEYS,
    ADMIN_TOKEN,
    TRUSTED_PROXIES,
    WORKERS,
    SPOOL_RETENTION_HOURS,
    ARCHIVE_DAYS,
    ROLL_UP_DAYS,
    LOG_FORMAT,
    DEMO,
    GEOIP_DB,
    RATE_EVENTS,
    *ALERT_SETTINGS,
)
"""Every setting there is; the docs list them, and a test compares."""


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings of one process. Immutable; its repr shows no secret."""

    redis_url: str | None = field(default=None, repr=False)
    """None: the embedded Redis of the data folder."""
    data_dir: Path = DATA_DIR.default
    campaigns_dir: Path = CAMPAIGNS_DIR.default
    public_url: str | None = None
    """Without a slash at its end."""
    allowed_hosts: frozenset[str] = frozenset()
    """Lower case, without port."""
    home_url: str | None = None
    secret_keys: tuple[bytes, ...] = field(default=(), repr=False)
    """Newest first; empty: those of the data folder."""
    admin_token: str | None = field(default=None, repr=False)
    """None: that of the data folder."""
    trusted_proxies: tuple[Network, ...] = ()
    workers: int = WORKERS.default
    spool_retention_hours: int = SPOOL_RETENTION_HOURS.default
    archive_days: int = ARCHIVE_DAYS.default
    """0: for ever."""
    roll_up_days: int = ROLL_UP_DAYS.default
    """0: never."""
    log_format: LogFormat = LOG_FORMAT.default
    demo: bool = DEMO.default
    geoip_db: Path | None = None
    """None: a reader's address tells no place."""
    rate_events: int = RATE_EVENTS.default
    """0: no limit."""
    alerts: AlertWays = NO_ALERT_WAYS
    """Where alerts are sent."""

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> Self:
        """Read and check all settings.

        Raises:
            SettingRefused: a value cannot be taken, or two do not go together.
        """
        settings = cls(
            redis_url=REDIS_URL.read(environ),
            data_dir=DATA_DIR.read(environ),
            campaigns_dir=CAMPAIGNS_DIR.read(environ),
            public_url=PUBLIC_URL.read(environ),
            allowed_hosts=ALLOWED_HOSTS.read(environ),
            home_url=HOME_URL.read(environ),
            secret_keys=SECRET_KEYS.read(environ),
            admin_token=ADMIN_TOKEN.read(environ),
            trusted_proxies=TRUSTED_PROXIES.read(environ),
            workers=WORKERS.read(environ),
            spool_retention_hours=SPOOL_RETENTION_HOURS.read(environ),
            archive_days=ARCHIVE_DAYS.read(environ),
            roll_up_days=ROLL_UP_DAYS.read(environ),
            log_format=LOG_FORMAT.read(environ),
            demo=DEMO.read(environ),
            geoip_db=GEOIP_DB.read(environ),
            rate_events=RATE_EVENTS.read(environ),
            alerts=AlertWays.from_environ(environ),
        )
        if settings.redis_is_remote and not settings.secret_keys:
            raise SettingRefused(
                SECRET_KEYS.name,
                "must be set where Redis is on another host, so that all hosts read each other's tokens; "
                'python3 -c "import secrets; print(secrets.token_hex(32))" makes one',
            )
        return settings

    @property
    def redis_address(self) -> RedisAddress | None:
        """The address of a Redis of one's own, read; None: the embedded one."""
        return None if self.redis_url is None else parse_address(self.redis_url)

    @property
    def redis_is_remote(self) -> bool:
        """Whether Redis runs on another host than this one."""
        address = self.redis_address
        return address is not None and address.is_remote
