"""The books as bookkeepers ask for them: the ledger, capital, models, tables, statements, exports."""
