"""Floor 2: the drawing room: words, tables, pages and progress, all from records and documents."""
