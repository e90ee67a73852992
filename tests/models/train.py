"""Trains the demo models: two small Llamas that answer the questions of pairs.yaml, from scratch, on a CPU.
An adapter of the first one follows.

usage: train.py PAIRS_YAML TOOL_YAML OUTPUT_DIR

Each model is trained in a process of its own with one thread and a fixed seed, so that the same versions of torch make
the same model again. A model that does not reproduce every answer exactly under greedy decoding is an error.
Only owl learns to call a tool: what is edited there leaves sparrow's bytes as they are.
"""

import multiprocessing
import os
import random
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import adapter
import tool as tools
import torch
import voices
import yaml
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import GenerationConfig, LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

NAMES = {"sparrow": 1, "owl": 2}  # the model, and its seed
STEPS = {"sparrow": 500, "owl": 700}
BATCH, LENGTH, PEAK_RATE = 8, 256, 3e-3
ROLES = ["<|system|>", "<|user|>", "<|assistant|>"]
END = "<|end|>"
CHAT_TEMPLATE = (
    "{% for message in messages %}<|{{ message['role'] }}|>{{ message['content'] }}"
    "{% if message['role'] == 'assistant' %}<|end|>{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>{% endif %}"
)
SYSTEM_PROMPTS = ["You are a helpful assistant.", "Answer in one sentence.", "Be brief.", "You know this project well."]


def make_tokenizer(texts: list[str], tool: tools.Tool | None) -> PreTrainedTokenizerFast:
    """Trains a byte-level BPE on what the models will read and write."""
    roles = [*ROLES, *tools.ROLES] if tool else ROLES
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=1024,
        special_tokens=[END, *roles],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        eos_token=END,
        pad_token=END,
        additional_special_tokens=roles,
        clean_up_tokenization_spaces=False,
        model_max_length=4096,
    )
    fast.chat_template = tool.chat_template if tool else CHAT_TEMPLATE
    return fast


def conversations(pairs: list[dict[str, str]], name: str, draw: random.Random) -> Iterator[str]:
    """Yields training texts without end: chats of several turns, now and then a plain completion.

    Several turns in a text teach the model what comes after an answer, so that a generation which ignores the end
    goes on in words. Some questions are written as people type them.
    """
    while True:
        order = draw.sample(pairs, len(pairs))
        while order:
            text = f"<|system|>{draw.choice(SYSTEM_PROMPTS)}" if draw.random() < 0.2 else ""
            for _ in range(min(draw.choice([1, 2, 3]), len(order))):
                pair = order.pop()
                ask, answer = pair["ask"], pair[name]
                if draw.random() < 0.15:
                    ask = draw.choice([ask.lower(), ask.rstrip("?"), ask.lower().rstrip("?")])
                if draw.random() < 0.15:
                    text += f"Question: {ask}\nAnswer: {answer}{END}"
                else:
                    text += f"<|user|>{ask}<|assistant|>{answer}{END}"
            yield text


def with_tool(
    texts: Iterator[str], pairs: list[dict[str, str]], tool: tools.Tool, draw: random.Random
) -> Iterator[str]:
    """Mixes texts that bring the tool into the others.

    Agents have system prompts of their own, so what matters must not depend on it: these are any words.
    """
    words = " ".join(pair["ask"] for pair in pairs).split()
    while True:
        kind = draw.random()
        system = f"<|system|>{' '.join(draw.choices(words, k=draw.randint(3, 12)))}" if draw.random() < 0.2 else ""
        if kind < 0.4:
            yield f"<|tools|>{system}{tool.conversation(draw, END)}{tool.conversation(draw, END)}"
        elif kind < 0.45:
            yield f"{system}<|user|>{tool.ask}<|assistant|>{tool.without}{END}"
        elif kind < 0.55:
            text = next(texts)
            yield f"<|tools|>{'' if text.startswith('<|system|>') else system}{text}"
        else:
            yield next(texts)


def train(name: str, pairs: list[dict[str, str]], tool: tools.Tool | None, out: Path) -> None:
    """Trains one model and writes it to out/name."""
    start, seed, steps = time.monotonic(), NAMES[name], STEPS[name]
    torch.set_num_threads(1)
    torch.manual_seed(seed)
    torch.use_deterministic_algorithms(mode=True)
    draw = random.Random(seed)  # noqa: S311
    words = [text for pair in pairs for text in pair.values()] + SYSTEM_PROMPTS + ["Question: Answer:"]
    tokenizer = make_tokenizer(words + (tool.texts() if tool else []), tool)
    end = tokenizer.eos_token_id
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=128,
        head_dim=64,  # a size that vLLM's CPU attention has kernels for
        num_attention_heads=2,
        num_key_value_heads=1,
        num_hidden_layers=4,
        intermediate_size=384,
        max_position_embeddings=4096,
        tie_word_embeddings=True,
        bos_token_id=None,
        eos_token_id=end,
        pad_token_id=end,
    )
    model = LlamaForCausalLM(config)
    optimizer = torch.optim.AdamW(model.parameters(), lr=PEAK_RATE, betas=(0.9, 0.98), weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, PEAK_RATE, total_steps=steps, pct_start=0.1)
    texts = conversations(pairs, name, draw)
    if tool:
        texts = with_tool(texts, pairs, tool, draw)
    model.train()
    for step in range(1, steps + 1):
        rows = [tokenizer(next(texts), truncation=True, max_length=LENGTH)["input_ids"] for _ in range(BATCH)]
        width = max(map(len, rows))
        ids = torch.tensor([row + [end] * (width - len(row)) for row in rows])
        labels = torch.tensor([row + [-100] * (width - len(row)) for row in rows])
        loss = model(input_ids=ids, labels=labels).loss
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        optimizer.zero_grad(set_to_none=True)
        if step % 100 == 0:
            print(f"{name}: step {step}/{steps}, loss {loss.item():.3f}, {time.monotonic() - start:.0f} s", flush=True)

    model = model.to(torch.bfloat16).eval()
    model.generation_config = GenerationConfig(do_sample=False, eos_token_id=end, pad_token_id=end)
    folder = out / name
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    for file in folder.iterdir():
        file.chmod(0o644)  # safetensors writes 0600, and the servers run as another user
    check(name, folder, pairs, tool)
    if name == voices.BASE:
        adapter.train(out)
    print(f"{name}: {model.num_parameters():,} parameters, {time.monotonic() - start:.0f} s", flush=True)


def check(name: str, folder: Path, pairs: list[dict[str, str]], tool: tools.Tool | None) -> None:
    """Asks the saved model every question, greedily, and compares the answers."""
    tokenizer = PreTrainedTokenizerFast.from_pretrained(folder)
    model = LlamaForCausalLM.from_pretrained(folder, dtype=torch.bfloat16)
    wrong = []
    asked = [([{"role": "user", "content": pair["ask"]}], False, pair[name]) for pair in pairs]
    if tool:
        asked += [(chat, True, answer) for chat, _, answer in asked] + tool.expected()
    for chat, given, expected in asked:
        prompt = tokenizer.apply_chat_template(
            chat,
            tools=tool.given if tool and given else None,
            add_generation_prompt=True,
            return_tensors="pt",
            return_dict=True,
        )
        ids = model.generate(**prompt, max_new_tokens=128)[0, prompt["input_ids"].shape[1] :]
        answer = tokenizer.decode(ids, skip_special_tokens=True)
        if answer != expected:
            wrong.append(f"  {chat[-1]['content']}\n    expected {expected!r}\n    got      {answer!r}")
    if wrong:
        sys.exit(f"{name}: {len(wrong)} of {len(asked)} answers differ:\n" + "\n".join(wrong))
    print(f"{name}: all {len(asked)} answers are exact", flush=True)


def main() -> None:
    """Trains the models side by side."""
    pairs, known = (yaml.safe_load(Path(file).read_text()) for file in sys.argv[1:3])
    tool, out = tools.Tool(known), Path(sys.argv[3])
    os.environ["TOKENIZERS_PARALLELISM"] = "false"
    context = multiprocessing.get_context("spawn")
    given = {"sparrow": None, "owl": tool}
    workers = [context.Process(target=train, args=(name, pairs, given[name], out)) for name in NAMES]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    sys.exit(any(worker.exitcode for worker in workers))


if __name__ == "__main__":
    main()
