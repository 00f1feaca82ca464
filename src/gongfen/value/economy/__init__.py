"""Economy-wide numbers: tables of sectors, producers and tasks, prices against values, rates and circuits."""
