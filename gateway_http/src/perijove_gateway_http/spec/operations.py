"""Every operation that is described."""

from __future__ import annotations

from perijove_gateway_http.spec.documents import DOCUMENTS
from perijove_gateway_http.spec.frontends import FRONTENDS
from perijove_gateway_http.spec.kernels import KERNELS
from perijove_gateway_http.spec.server import SERVER

OPERATIONS = SERVER | DOCUMENTS | KERNELS | FRONTENDS
