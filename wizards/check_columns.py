"""How people name the columns of a list of checks, in English and in Spanish."""

from dataclasses import dataclass
from datetime import date

from odoo import models

from ..engine.spreadsheet import Column
from .collection_import_party import PartyRow

COLUMNS = (
    Column(
        "number",
        ("Check", "Cheque", "Check Number", "Número de Cheque", "No. de Cheque", "Number", "Número", "Folio", "No."),
    ),
    Column("bank", ("Bank", "Banco", "Banco Emisor", "Drawee Bank", "Institución")),
    Column(
        "account",
        ("Account", "Cuenta", "CLABE", "Account or CLABE", "Cuenta o CLABE", "No. de Cuenta", "Account Number"),
        required=False,
    ),
    Column("customer", ("Customer", "Cliente", "RFC", "Tax ID", "Razón Social", "Nombre del Cliente", "Customer Name")),
    Column("drawer", ("Drawer", "Librador", "Girador", "Firmante"), required=False),
    Column("amount", ("Amount", "Importe", "Monto", "Cantidad", "Total")),
    Column("currency", ("Currency", "Moneda", "Divisa"), required=False),
    Column("received", ("Received", "Recibido", "Received On", "Fecha de Recepción", "Recepción"), required=False),
    Column(
        "face",
        ("Date of the Check", "Fecha del Cheque", "Check Date", "Fecha de Emisión", "Fecha"),
        required=False,
    ),
    Column(
        "deposit",
        (
            "Deposit On",
            "Depositar el",
            "Deposit Date",
            "Fecha de Depósito",
            "Depósito",
            "Fecha de Cobro",
            "Vencimiento",
        ),
    ),
    Column(
        "journal",
        ("Deposit In", "Depositar en", "Journal", "Diario", "Banco Receptor", "Cuenta Receptora"),
        required=False,
    ),
    Column("notes", ("Notes", "Notas", "Observaciones", "Comentarios"), required=False),
)
ORDER = [column.name for column in COLUMNS]


@dataclass(kw_only=True)
class ParsedCheck(PartyRow):
    """A row as it was understood."""

    paper: str
    bank: str
    account: str
    drawer: str
    journal_name: str
    notes: str
    received: date | None = None
    face: date | None = None
    deposit: date | None = None
    bank_record: models.BaseModel | None = None
    journal: models.BaseModel | None = None
