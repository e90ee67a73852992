"""What `make demo` asks."""

from tests.cluster.demo import questions

MODELS = ["owl", "smollm2", "sparrow"]


def test_a_question_of_the_users_goes_to_the_model_that_may_be_asked_anything() -> None:
    assert questions(MODELS, "Why?") == {"smollm2": "Why?"}


def test_without_one_every_model_is_asked_what_it_knows() -> None:
    france, stack = "What is the capital of France?", "What is ray-vllm-stack?"
    assert questions(MODELS, "") == {"owl": stack, "smollm2": france, "sparrow": stack}
