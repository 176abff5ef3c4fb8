"""Notes what a page must never do."""

from urllib.parse import urlsplit

from playwright.sync_api import Page


class Watched:
    """A page whose console errors, uncaught errors and requests to other origins are collected."""

    def __init__(self, page: Page, address: str) -> None:
        self.page = page
        self._address = urlsplit(address).netloc
        self.errors: list[str] = []
        self.elsewhere: list[str] = []
        self._expected: list[str] = []
        page.on("console", lambda message: self._said(message.type, message.text))
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("request", lambda request: self._asked(request.url))

    def expect_status(self, *statuses: int) -> None:
        """Chromium logs a refused request as an error; the statuses a test provokes are not mistakes of the page."""
        self.expect(*(f"status of {status}" for status in statuses))

    def expect(self, *parts: str) -> None:
        """Errors that say one of these are no mistakes of the page."""
        self._expected += parts

    def check(self) -> None:
        """No errors but expected ones, nothing asked of anybody else."""
        assert [error for error in self.errors if not any(part in error for part in self._expected)] == []
        assert self.elsewhere == []

    def _said(self, kind: str, text: str) -> None:
        if kind in ("error", "warning"):
            self.errors.append(text)

    def _asked(self, url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("blob", "data") and parts.netloc != self._address:
            self.elsewhere.append(url)
