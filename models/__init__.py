from . import collection_debtor
