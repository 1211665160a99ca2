from __future__ import annotations

import socket

import pytest


@pytest.fixture
def no_network(monkeypatch):
    """As on a machine without one, wherever the tests run."""

    def refuse(*args, **kwargs):
        raise OSError("no network here")

    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.setattr(socket.socket, "connect", refuse)


@pytest.fixture
def refused():
    """Runs something that must raise a DataError, and gives that."""
    from cnnspec.data.error import DataError

    def call(function, *args, **kwargs) -> DataError:
        with pytest.raises(DataError) as caught:
            function(*args, **kwargs)
        error = caught.value
        assert error.message
        assert "\n" not in error.message
        assert all(isinstance(text, str) and text for text in (*error.notes, *error.help))
        return error

    return call
