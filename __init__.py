from . import engine, models, report, wizards
