"""The functions that a script of a recipe may need, as they are written into it."""

HELPERS = {
    "unpacked": '''
def unpacked(text, shape):
    """Seeds from their runs: voxels skipped before each, its length and its label."""
    runs = np.frombuffer(zlib.decompress(base64.b64decode(text)), "<i8")
    gaps, lengths, labels = runs.reshape(3, -1)
    seeds = np.zeros(shape, np.int32)
    skipped = np.repeat(np.cumsum(gaps), lengths)
    seeds.flat[np.arange(skipped.size) + skipped] = np.repeat(labels, lengths)
    return seeds
''',
    "array_of": '''
def array_of(text, dtype, shape):
    """An array from packed numbers."""
    return np.frombuffer(zlib.decompress(base64.b64decode(text)), dtype).reshape(shape)
''',
    "gathered": '''
def gathered(parts, shape):
    """One array of the parts at their places; what was not worked on is 0."""
    first = next(iter(parts.values()))
    whole = np.zeros((*shape, *first.shape), first.dtype)
    for place, part in parts.items():
        whole[place] = part
    return whole
''',
    "placed": '''
def placed(table, **places):
    """A table with columns before its own that say where its rows are from."""
    rows = len(next(iter(table.values())))
    return {**{name: np.full(rows, place) for name, place in places.items()}, **table}
''',
    "joined": '''
def joined(tables):
    """The rows of several tables below each other."""
    return {name: np.concatenate([one[name] for one in tables]) for name in tables[0]}
''',
    "points_of_part": '''
def points_of_part(points, part):
    """Points that lie on voxels of a part, counted from its corner."""
    inside = points_within(points["points"], part)
    kept = {name: column[inside] for name, column in points.items()}
    return {**kept, "points": kept["points"] - [one.start for one in part]}
''',
    "shapes_of_part": '''
def shapes_of_part(shapes, part):
    """Shapes that lie in a part or reach into it, counted from its corner."""
    by = [-one.start for one in part]
    return [moved_shape(shapes[nth], by) for nth in shapes_within(shapes, part)]
''',
    "rows_of_part": '''
def rows_of_part(table, shapes, part):
    """The rows of these shapes, where a table has one for each."""
    if "shape" not in table or len(table["shape"]) != len(shapes):
        return table
    return {name: column[shapes_within(shapes, part)] for name, column in table.items()}
''',
    "read": '''
def read(path, axes):
    """The voxels of a TIFF or NumPy file, with these axes in this order."""
    if path.suffix == ".npy":
        return np.load(path)
    with tifffile.TiffFile(path) as file:
        voxels, stored = file.series[0].asarray(), file.series[0].axes.lower()
    missing = iter([axis for axis in axes if axis not in stored.replace("s", "c")])
    # Files that say nothing of an axis call it q or i.
    stored = ["c" if axis == "s" else axis for axis in stored]
    stored = [axis if axis in axes else next(missing, axis) for axis in stored]
    for axis in [axis for axis in axes if axis not in stored]:
        voxels, stored = voxels[np.newaxis], [axis, *stored]
    return np.transpose(voxels, [stored.index(axis) for axis in "tczyx" if axis in stored])
''',
    "write": '''
def write(stem, name, result):
    """Arrays become TIFF files, tables and points CSV, and shapes CSV with a row a corner."""
    if isinstance(result, np.ndarray):
        voxels = result.astype(np.uint8) if result.dtype == bool else result
        tifffile.imwrite(f"{stem}_{name}.tif", voxels)
        return
    if isinstance(result, list):
        corners = [
            (nth, shape.label, shape.time, *corner)
            for nth, shape in enumerate(result)
            for corner in shape.points
        ]
        axes = ("z", "y", "x")[-len(SPACING) :]
        rows = zip(*corners) if corners else [()] * (3 + len(axes))
        result = dict(zip(("shape", "label", "time_point", *axes), rows))
    elif "points" in result:
        points = dict(zip(("z", "y", "x")[-len(SPACING) :], result["points"].T))
        result = {**points, **{key: one for key, one in result.items() if key != "points"}}
    with open(f"{stem}_{name}.csv", "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(result)
        writer.writerows(zip(*result.values()))
''',
}
"""In the order in which a script has them."""
