"""The page and its files, read once; their address carries a digest of all of them, so that none can be stale."""

from collections.abc import Sequence
from http import HTTPStatus
from pathlib import Path

from fastapi import APIRouter, Request, Response
from starlette.exceptions import HTTPException

from lookalike.storage import digest_files

STATIC = Path(__file__).parent / "static"
INDEX = "index.html"
MEDIA = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}

FOREVER = "public, max-age=31536000, immutable"
"""For files whose address changes with their content."""
ALWAYS_ASK = "no-cache"
"""For the page itself, whose address stays: kept, but compared by its ETag every time."""


def web_page(photo_origins: Sequence[str] = ()) -> APIRouter:
    """`GET /` and `GET /static/{digest}/{name}`.

    `photo_origins` are other places (such as https://photos.example) the page may show photos from; scripts, styles
    and requests stay with this server whatever is given.
    """
    names = sorted(path.name for path in STATIC.iterdir())
    digest = digest_files(STATIC, names)[:16]
    files = {name: (STATIC / name).read_bytes() for name in names if name != INDEX}
    index = (STATIC / INDEX).read_text(encoding="utf-8").replace('"static/', f'"static/{digest}/')
    page_headers = security_headers(photo_origins) | {"cache-control": ALWAYS_ASK, "etag": f'"{digest}"'}
    file_headers = security_headers() | {"cache-control": FOREVER}
    router = APIRouter(include_in_schema=False)

    @router.api_route("/", methods=["GET", "HEAD"])
    async def page(request: Request) -> Response:
        if page_headers["etag"] in request.headers.get("if-none-match", ""):
            return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=page_headers)
        return Response(index, media_type="text/html", headers=page_headers)

    @router.api_route("/static/{version}/{name}", methods=["GET", "HEAD"])
    async def file(version: str, name: str) -> Response:
        if version != digest or name not in files:
            raise HTTPException(HTTPStatus.NOT_FOUND, "the page has no such file now; load the page again")
        return Response(files[name], media_type=MEDIA[Path(name).suffix], headers=file_headers)

    return router


def security_headers(photo_origins: Sequence[str] = ()) -> dict[str, str]:
    """Nothing runs or loads but this server's own files; nothing can frame the page or turn text into markup."""
    policy = {
        "default-src": "'none'",
        "script-src": "'self'",
        "style-src": "'self'",
        "img-src": " ".join(["'self'", "blob:", *photo_origins]),  # blob: is the shopper's own photo
        "connect-src": "'self'",
        "base-uri": "'none'",
        "form-action": "'none'",
        "frame-ancestors": "'none'",
        "require-trusted-types-for": "'script'",
        "trusted-types": "'none'",
    }
    return {
        "content-security-policy": "; ".join(f"{name} {value}" for name, value in policy.items()),
        "x-content-type-options": "nosniff",
        "referrer-policy": "no-referrer",
        "cross-origin-opener-policy": "same-origin",
        "permissions-policy": "camera=(), microphone=(), geolocation=()",
    }
