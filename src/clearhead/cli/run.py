"""``clearhead run``: the whole way from a network and labelled data to a report."""

from __future__ import annotations

from clearhead.cli import options as o
from clearhead.cli.progress import Progress

__all__ = ["command"]


def command(
    model: o.Model,
    data: o.Data = None,
    *,
    out: o.Out,
    layer: o.Layer = None,
    pooling: o.Pooling = None,
    checkpoint: o.Checkpoint = None,
    preprocessing: o.Preprocessing = None,
    device: o.Device = "auto",
    precision: o.Precision = "auto",
    text_column: o.TextColumn = None,
    image_column: o.ImageColumn = None,
    label_column: o.LabelColumn = None,
    label_separator: o.LabelSeparator = None,
    label: o.Label = None,
    split_column: o.SplitColumn = None,
    group_column: o.GroupColumn = None,
    id_column: o.IdColumn = None,
    class_names: o.ClassNames = None,
    validation: o.Validation = 0.15,
    test: o.Test = 0.15,
    balance_held_out: o.BalanceHeldOut = False,
    rule: o.RuleText = None,
    l1_ratio: o.L1Ratio = 0.99,
    n_lambdas: o.NLambdas = 100,
    lambda_min_ratio: o.LambdaMinRatio = 1e-3,
    tol: o.Tol = 1e-4,
    ban: o.Ban = None,
    balanced: o.Balanced = False,
    grouped: o.Grouped = False,
    targets: o.FitTargets = "labels",
    seed: o.Seed = 0,
    limit: o.Limit = None,
    batch_size: o.BatchSize = None,
    strict: o.Strict = False,
    no_examples: o.NoExamples = False,
    repair: o.Repair = False,
    quick: o.Quick = False,
    full: o.Full = False,
    force: o.ForceRun = False,
) -> None:
    """Do every step, from network and data to a report.

    The steps are extract, fit, select, explain, debug and report. Those whose inputs
    have not changed are skipped. Interrupt it at any time; the same command goes on
    from there.

    Example: clearhead run minilm reviews.csv --out runs/reviews
    """
    from clearhead.cli.show import print_summary
    from clearhead.run import new_run

    with Progress() as progress:
        effort = o.effort_of(quick=quick, full=full)
        run = new_run(
            out,
            model,
            data,
            model_options={
                "layer": layer,
                "pooling": pooling,
                "checkpoint": checkpoint,
                "preprocessing": o.preprocessing_of(preprocessing),
                "device": device,
                "precision": precision,
            },
            force=force,
            keep_examples=not no_examples,
            on_event=progress,
            text_column=text_column,
            image_column=image_column,
            label_column=o.columns(label_column),
            label_separator=label_separator,
            label=label,
            split_column=split_column,
            group_column=group_column,
            id_column=id_column,
            class_names=o.listed(class_names),
            validation=validation,
            test=test,
            balance_held_out=balance_held_out,
            seed=seed,
            limit=limit,
            strict=strict,
        )
        run.all(
            batch_size=o.batch_size_of(batch_size),
            strict=strict,
            repair=repair,
            rule=rule,
            effort=effort,
            force=force,
            l1_ratio=l1_ratio,
            n_lambdas=n_lambdas,
            lambda_min_ratio=lambda_min_ratio,
            tol=tol,
            ban=ban or (),
            balanced=balanced,
            grouped=grouped,
            targets=targets,
        )
    print_summary(run)
