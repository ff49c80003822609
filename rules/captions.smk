# Snakemake's own report: what its captions say, and the tables in it.


def caption(what):
    """The file of a caption for Snakemake's own report: without its folder and its ending."""
    path = BASE / "workflow" / "report" / f"{what}.rst"
    return captioned(
        path, EXPERIMENT.left_out if workflow.is_main_process else (), KEPT / "captions"
    )


def table_files(row):
    """The outputs of a table's rule; the CSVs are in Snakemake's own report."""
    return {
        f"{name}_{ending}": in_report(name, path) if ending == "csv" else path
        for name, ending, path in FILES.tables_of(row)
    }


def in_report(table, path):
    """A table in Snakemake's own report."""
    return report(
        path,
        caption=caption(f"tables/{table}"),
        category="Tables",
        labels={"table": table},
    )
