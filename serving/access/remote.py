"""The same API keys for gRPC, in the call's metadata."""

from typing import Any

from grpc_interceptor.server import AsyncServerInterceptor

from serving.access.control import AccessControl, caller, presented_key

OPEN = ("/ServerLive", "/ServerReady", "/ModelReady")
"""What an orchestrator asks."""


class KeyedCalls(AsyncServerInterceptor):
    """Stands behind the interceptor that explains errors and before all others."""

    def __init__(self, access: AccessControl) -> None:
        self._access = access

    async def intercept(self, method: Any, request_or_iterator: Any, context: Any, method_name: str) -> Any:
        if not self._access.asks or method_name.endswith(OPEN):
            return await method(request_or_iterator, context)
        sent = {name: value for name, value in context.invocation_metadata() or () if isinstance(value, str)}
        caller.set(self._access.admit(presented_key(sent.get("x-api-key"), sent.get("authorization"))))
        return await method(request_or_iterator, context)
