"""How people name the columns and the results of a list of reviews, in English and in Spanish."""

from dataclasses import dataclass, field
from datetime import date, datetime, time

from odoo import models

from ..engine import cells
from ..engine.spreadsheet import Column
from ..models.review_states import ACCEPTED, REJECTED, SUBMITTED

COLUMNS = (
    Column(
        "invoice",
        (
            "Invoice",
            "Factura",
            "Invoice Number",
            "Número de Factura",
            "No. de Factura",
            "Folio",
            "Documento",
            "Document",
        ),
    ),
    Column(
        "receipt",
        (
            "Receipt",
            "Contra-recibo",
            "Contrarrecibo",
            "Recibo",
            "Receipt Number",
            "Número de Contra-recibo",
            "No. de Contra-recibo",
            "Folio de Contra-recibo",
        ),
    ),
    Column("date", ("Date", "Fecha", "Review Date", "Fecha de Revisión")),
    Column("hour", ("Hour", "Hora", "Time"), required=False),
    Column("result", ("Result", "Resultado", "Estatus", "Status", "Estado")),
    Column("reason", ("Reason", "Motivo", "Motivo de Rechazo", "Razón"), required=False),
    Column(
        "promised",
        ("Payment Date", "Fecha de Pago", "Promised", "Promesa", "Promesa de Pago", "Fecha Promesa"),
        required=False,
    ),
)
# None for pending: in a customer's list it means that nothing happened, here that what was registered is taken back.
WORDS = {
    SUBMITTED: "Submitted, Delivered, In Review, En Revisión, Presentada, Presentado, Entregada, Entregado, Ingresada, "
    "Ingresado",
    ACCEPTED: "Accepted, Approved, Aceptada, Aceptado, Aprobada, Aprobado",
    REJECTED: "Rejected, Returned, Rechazada, Rechazado, Devuelta, Devuelto",
}
RESULTS = {cells.fold(word): result for result, words in WORDS.items() for word in words.split(",")}


@dataclass
class ParsedRow:
    """A row as it was understood, and what is wrong with it in words."""

    number: int
    invoice: str
    receipt: str
    reason: str
    day: date | None = None
    hour: time | None = None
    result: str | None = None
    promised: date | None = None
    move: models.BaseModel | None = None
    moment: datetime | None = None
    faults: list[str] = field(default_factory=list)
