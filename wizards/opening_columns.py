"""How people name the columns of a list of open items, in English and in Spanish."""

from dataclasses import dataclass, field
from datetime import date

from ..engine.spreadsheet import Column
from .collection_import_party import PartyRow

COLUMNS = (
    Column("tax_id", ("Tax ID", "RFC", "NIF", "CIF", "VAT", "Identificación Fiscal"), required=False),
    Column(
        "customer",
        ("Customer", "Cliente", "Customer Name", "Nombre del Cliente", "Razón Social", "Nombre", "Name"),
        required=False,
    ),
    Column(
        "document",
        ("Document", "Documento", "Invoice", "Factura", "Folio", "Número", "No. de Documento", "Document Number"),
    ),
    Column("date", ("Date", "Fecha", "Document Date", "Fecha del Documento", "Fecha de Emisión", "Invoice Date")),
    Column("due", ("Due Date", "Vencimiento", "Fecha de Vencimiento", "Vence", "Due"), required=False),
    Column("amount", ("Amount", "Importe", "Saldo", "Monto", "Balance", "Open Amount", "Saldo Pendiente", "Total")),
    Column("currency", ("Currency", "Moneda", "Divisa"), required=False),
    Column("reference", ("Reference", "Referencia", "Ref", "Orden de Compra", "Purchase Order"), required=False),
)


@dataclass(kw_only=True)
class ParsedItem(PartyRow):
    """A row as it was understood; what is worth a look, and no obstacle, in ``hints``."""

    document: str
    reference: str
    day: date | None = None
    due: date | None = None
    balance: float = 0.0
    hints: list[str] = field(default_factory=list)
