"""Pictures that are only text: SVG from whole numbers, one file a kind of picture, each with a table elsewhere.

A picture is a function: data and labels that are ready to print go in, SVG comes out. It knows no language, no colour
and no fact; the same input gives the same bytes. A new one is a new file here. It begins with ``Saying.head``, takes
tones, hatches and the width of labels from :mod:`gongfen.reports.charts.drawing`, and what has two axes stands in a
:class:`gongfen.reports.charts.axes.Frame`. What a book's story puts into it is decided in
:mod:`gongfen.reports.page.pictures`.
"""
