"""A plan for programs."""

from dataclasses import asdict

from nnunet_vit.files.json_file import JsonObject
from nnunet_vit.planning.patch_candidates import tokens_of
from nnunet_vit.planning.plan_run import Plan
from nnunet_vit.planning.reasons import planned_values


def as_json(plan: Plan) -> JsonObject:
    """Return the plan as plain values; memory in bytes."""
    choice, limit = plan.choice, plan.limit
    step, run = choice.step, choice.variant.run
    return {
        "dataset": plan.dataset,
        "size": asdict(plan.size),
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
    }
