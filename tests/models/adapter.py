"""A LoRA adapter of a trained model: the same questions, answered by another voice.

The files are as PEFT writes them, which is what vLLM reads:
https://huggingface.co/docs/peft/developer_guides/checkpoint
"""

import json
import random
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import nn
from transformers import LlamaForCausalLM, PreTrainedTokenizerFast
from voices import ANSWERS, BASE, NAME

RANK, ALPHA, STEPS, RATE = 8, 16, 400, 3e-3
TARGETS = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]


class Low(nn.Module):
    """A linear layer with a low-rank addition: x W + x A B alpha / rank."""

    def __init__(self, base: nn.Linear) -> None:
        """Adds nothing until it is trained: B begins at 0."""
        super().__init__()
        self.base = base
        self.a = nn.Parameter(torch.randn(RANK, base.in_features) / RANK)
        self.b = nn.Parameter(torch.zeros(base.out_features, RANK))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Shapes: x (..., in) to (..., out)."""
        return self.base(x) + x @ self.a.T @ self.b.T * (ALPHA / RANK)


def train(models: Path) -> None:
    """Trains the adapter of models/BASE, writes it to models/NAME, and checks each answer.

    Raises:
        SystemExit: an answer is another one.
    """
    torch.manual_seed(3)
    draw = random.Random(3)  # noqa: S311
    tokenizer = PreTrainedTokenizerFast.from_pretrained(models / BASE)
    model = LlamaForCausalLM.from_pretrained(models / BASE, dtype=torch.float32).requires_grad_(requires_grad=False)
    layers: dict[str, Low] = {}
    for name, module in list(model.named_modules()):
        parent, _, leaf = name.rpartition(".")
        if leaf in TARGETS:
            layers[name] = Low(module)
            setattr(model.get_submodule(parent), leaf, layers[name])
    optimizer = torch.optim.AdamW([p for layer in layers.values() for p in (layer.a, layer.b)], lr=RATE)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, RATE, total_steps=STEPS, pct_start=0.1)
    for _ in range(STEPS):
        ask, answer = draw.choice(list(ANSWERS.items()))
        prompt = tokenizer(_prompt(tokenizer, ask))["input_ids"]
        rest = tokenizer(answer + tokenizer.eos_token)["input_ids"]
        labels = torch.tensor([[-100] * len(prompt) + rest])
        model(input_ids=torch.tensor([prompt + rest]), labels=labels).loss.backward()
        optimizer.step()
        schedule.step()
        optimizer.zero_grad(set_to_none=True)
    for ask, answer in ANSWERS.items():
        ids = tokenizer(_prompt(tokenizer, ask), return_tensors="pt")["input_ids"]
        said = tokenizer.decode(model.generate(ids, max_new_tokens=64)[0, ids.shape[1] :], skip_special_tokens=True)
        if said != answer:
            raise SystemExit(f"{NAME}: to {ask!r} it says {said!r}, not {answer!r}")
    _write(models / NAME, layers)
    print(f"{NAME}: all {len(ANSWERS)} answers are exact", flush=True)


def _prompt(tokenizer: PreTrainedTokenizerFast, ask: str) -> str:
    chat = [{"role": "user", "content": ask}]
    return str(tokenizer.apply_chat_template(chat, add_generation_prompt=True, tokenize=False))


def _write(folder: Path, layers: dict[str, Low]) -> None:
    folder.mkdir()
    tensors = {}
    for name, layer in layers.items():
        tensors[f"base_model.model.{name}.lora_A.weight"] = layer.a.detach().to(torch.bfloat16).contiguous()
        tensors[f"base_model.model.{name}.lora_B.weight"] = layer.b.detach().to(torch.bfloat16).contiguous()
    save_file(tensors, folder / "adapter_model.safetensors")
    config = {
        "peft_type": "LORA",
        "task_type": "CAUSAL_LM",
        "base_model_name_or_path": BASE,
        "r": RANK,
        "lora_alpha": ALPHA,
        "target_modules": TARGETS,
        "bias": "none",
    }
    (folder / "adapter_config.json").write_text(json.dumps(config, indent=1))
    for file in folder.iterdir():
        file.chmod(0o644)
