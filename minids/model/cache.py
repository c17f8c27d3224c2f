"""The cache of a text that is being written: for MLA one latent and one rotated key a token and layer, for all heads.

    elements per token, layer = kv_lora_rank + qk_rope_head_dim       (DeepSeek-V3: 512 + 64; arXiv 2412.19437 §2.1.1)

Rows of a batch are aligned at their right end: `padding_B` says how many columns at the left of each row are empty, so
that every row writes its next token into the same column. `truncate` takes tokens back (speculative decoding rejects
drafts).
"""

import torch

from minids import memory
from minids.dispatch import definitions


def store(data_BSC, length, new_BTC):
    """Writes new columns behind the `length` ones in use; returns all that are in use now, [B, length + T, C].

    data [B, max_length, C] is changed in place, and what is returned is a view of it: nothing old is copied.
    Raises ValueError, before anything is written, if there is no room for T more columns.
    """
    end = length + new_BTC.shape[1]
    # room for all of them?
    if end > data_BSC.shape[1]:
        raise ValueError(f"the cache holds {data_BSC.shape[1]} tokens per row, {end} were asked for")
    # write in place, hand out a view
    data_BSC[:, length:end] = new_BTC
    return data_BSC[:, :end]


definitions(store)  # the folded decoder writes into the cache itself


class Cache:
    """Storage [layers, B, max_length, C]; `length` columns are in use. C is `config.cache_elements`."""

    def __init__(self, config, batch, max_length, padding_B=None, dtype=torch.float32, device=None):
        layers = config.num_hidden_layers + config.num_nextn_predict_layers
        size = layers * batch * max_length * config.cache_elements * dtype.itemsize
        what = f"the cache of {batch} x {max_length} tokens"
        memory.afford(size, what, "Ask for fewer new tokens, or fewer texts at a time (max_batch).", device or "cpu")
        self.data = torch.zeros(layers, batch, max_length, config.cache_elements, dtype=dtype, device=device)
        self.lengths = [0] * layers
        self.padding_B = (
            torch.zeros(batch, dtype=torch.long, device=device) if padding_B is None else padding_B.to(device)
        )

    @property
    def length(self):
        return self.lengths[0]

    def append(self, layer, new_BTC):
        """Stores the new columns of a layer and returns all its columns so far, [B, S, C]."""
        columns_BSC = store(self.data[layer], self.lengths[layer], new_BTC)
        self.lengths[layer] = columns_BSC.shape[1]
        return columns_BSC

    def truncate(self, length, layer=None):
        """Forgets the columns from `length` on, in one layer or in all."""
        for i in range(len(self.lengths)) if layer is None else [layer]:
            self.lengths[i] = min(self.lengths[i], length)

    @property
    def nbytes(self):
        """Bytes in use: elements * columns * rows, over the layers."""
        return sum(self.lengths) * self.data.shape[1] * self.data.shape[3] * self.data.element_size()
