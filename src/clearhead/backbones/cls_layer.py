"""The layout of barissayil/bert-sentiment-analysis-sst.

A BERT whose [CLS] vector goes into one linear layer named ``cls_layer``, with one output:
positive if it is above zero. The class is not one of transformers'; the checkpoint's keys
are ``bert.*``, ``cls_layer.weight`` and ``cls_layer.bias``.
"""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn
from transformers import BertModel, BertPreTrainedModel

__all__ = ["BertForSentimentClassification"]


class BertForSentimentClassification(BertPreTrainedModel):  # type: ignore[misc]
    """One score a text, positive for a positive one, of the [CLS] token's vector."""

    def __init__(self, config: Any) -> None:
        super().__init__(config)
        self.bert = BertModel(config)
        self.cls_layer = nn.Linear(config.hidden_size, 1)
        self.post_init()

    def forward(
        self,
        input_ids: Tensor,
        attention_mask: Tensor | None = None,
        token_type_ids: Tensor | None = None,
    ) -> Tensor:
        """Compute the scores (n, 1)."""
        hidden = self.bert(input_ids, attention_mask, token_type_ids).last_hidden_state
        scores: Tensor = self.cls_layer(hidden[:, 0])
        return scores
