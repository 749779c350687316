"""The WSGI application for any server: `gunicorn wsgi:app`; settings come from the environment."""

from adserver.runtime.worker import create_standalone_app

app = create_standalone_app()
