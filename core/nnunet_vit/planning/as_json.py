"""A plan for programs."""

from dataclasses import asdict

from nnunet_vit.files.json_file import JsonObject
from nnunet_vit.planning.pace import Turn
from nnunet_vit.planning.patch_candidates import tokens_of
from nnunet_vit.planning.plan_run import Plan
from nnunet_vit.planning.probing import Trial
from nnunet_vit.planning.reasons import planned_values


def as_json(plan: Plan) -> JsonObject:
    """Return the plan as plain values; memory in bytes."""
    choice, limit = plan.choice, plan.limit
    step, run = choice.step, choice.variant.run
    return {
        "dataset": plan.dataset,
        "size": asdict(plan.size),
        "cases_now": plan.cases,
        "gpu": {
            "name": limit.name,
            "device": limit.device,
            "memory": limit.total,
            "software": limit.software,
            "margin": limit.margin,
            "usable": limit.usable,
        },
        "run": {
            "head": run.model.head_name or run.model.model_path,
            "backbone": run.model.backbone,
            "backbone_size": run.model.size_name,
            "tuning": run.model.tuning,
            "recipe": run.recipe,
            "initial_lr": run.train.initial_lr,
            "backbone_lr": run.train.own_backbone_lr,
            "precision": plan.precision,
            "patch_size": list(step.tile.size),
            "tokens": tokens_of(step.tile.size, choice.vit_patch),
            "batch_size": step.tile.batch,
            "gradient_checkpointing": choice.checkpointing,
        },
        "planned": [asdict(value) for value in planned_values(plan)],
        "memory": {**step.memory, "sum": step.total},
        "forward_flops": step.cost.forward_flops,
        "step_flops": step.cost.step_flops,
        "trial": _trial(plan),
    }


def _trial(plan: Plan) -> JsonObject | None:
    """Return what a probe has shown, in seconds and bytes; None: no probe was asked for."""
    trial = plan.trial
    if trial is None:
        return None
    pace, length = trial.pace, trial.length
    figures = pace and {
        "steps": pace.steps,
        "training_step": _turn(pace.training),
        "validation_step": _turn(pace.validation),
        "checkpoint": pace.saving,
        "progress_picture": pace.drawing,
        "start_and_final_validation": pace.around,
        "peak_memory": pace.peak,
    }
    return {
        "notes": list(trial.notes),
        "hours": trial.hours,
        "measured": figures,
        "length": length
        and {
            **asdict(length),
            "seconds_of_all_folds": length.of_all_folds,
            "epoch_seconds": _epoch(trial),
        },
    }


def _turn(turn: Turn) -> JsonObject:
    bound = "data" if turn.bound_by_data else "network"
    return {**asdict(turn), "seconds": turn.seconds, "bound_by": bound}


def _epoch(trial: Trial) -> float | None:
    pace, length = trial.pace, trial.length
    if pace is None or length is None:
        return None
    return pace.epoch(length.iterations, length.validations)
