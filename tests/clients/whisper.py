"""Makes a Whisper of one layer with random weights. usage: whisper.py OUTPUT_DIR   Runs in the serve image.

What it hears in a sound is letters without sense, but the same letters each time, and others for another sound.
"""

import sys
from pathlib import Path

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import (
    GenerationConfig,
    WhisperConfig,
    WhisperFeatureExtractor,
    WhisperForConditionalGeneration,
    WhisperTokenizerFast,
)
from transformers.models.whisper.tokenization_whisper import LANGUAGES

END, START = "<|endoftext|>", "<|startoftranscript|>"
TASKS = ["translate", "transcribe", "startoflm", "startofprev", "nospeech", "notimestamps"]
SPECIAL = [END, START, *(f"<|{name}|>" for name in [*LANGUAGES, *TASKS])]


def make_tokenizer() -> WhisperTokenizerFast:
    """Bytes as letters, and the special tokens that vLLM begins a transcription with."""
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocabulary = {token: number for number, token in enumerate([*letters, *SPECIAL])}
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens(SPECIAL)
    names = dict.fromkeys(("unk_token", "bos_token", "eos_token", "pad_token"), END)
    return WhisperTokenizerFast(tokenizer_object=tokenizer, additional_special_tokens=SPECIAL[1:], **names)


def main() -> None:
    """Writes tokenizer, feature extractor and model."""
    out = Path(sys.argv[1])
    torch.manual_seed(1)
    tokenizer = make_tokenizer()
    end, start = tokenizer.convert_tokens_to_ids([END, START])
    marks = {"decoder_start_token_id": start, "bos_token_id": end, "eos_token_id": end, "pad_token_id": end}
    config = WhisperConfig(
        vocab_size=len(tokenizer),
        d_model=128,
        encoder_layers=1,
        decoder_layers=1,
        encoder_attention_heads=2,  # of 64, a size that vLLM's CPU attention has kernels for
        decoder_attention_heads=2,
        encoder_ffn_dim=256,
        decoder_ffn_dim=256,
        init_std=0.4,  # large, so that the sound decides what comes out
        **marks,
    )
    model = WhisperForConditionalGeneration(config)
    model.generation_config = GenerationConfig(**marks)
    model.to(torch.bfloat16).save_pretrained(out)
    tokenizer.save_pretrained(out)
    WhisperFeatureExtractor().save_pretrained(out)
    for file in out.iterdir():
        file.chmod(0o644)


if __name__ == "__main__":
    main()
