"""The cache of a text that is being written: for MLA one latent and one rotated key a token and layer, for all heads.

    elements per token, layer = kv_lora_rank + qk_rope_head_dim       (DeepSeek-V3: 512 + 64; arXiv 2412.19437 §2.1.1)

Rows of a batch are aligned at their right end: `padding_B` says how many columns at the left of each row are empty, so
that every row writes its next token into the same column. `truncate` takes tokens back (speculative decoding rejects
drafts).
"""

import torch

from minids import memory
from minids.dispatch import definitions
from minids.errors import MinidsError
from minids.files import brief
from minids.model.config import LIKE, ModelConfig
from minids.model.sampling import whole


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


def causal_mask(new, total, padding_B=None, device=None):
    """What the last `new` of `total` positions may see -> bool [B or 1, 1, new, total], True = may see.

    The lower-right triangle: the first new position sees all older ones and itself. padding_B: that many columns at the
    left of each row are empty and seen by nobody but themselves, so that no row of the softmax is empty.
    """
    seen_S = torch.arange(total, device=device)
    column_T = seen_S[total - new :]
    mask_TS = seen_S <= column_T[:, None]
    if padding_B is None:
        return mask_TS[None, None]
    mask_BTS = mask_TS & (seen_S >= padding_B[:, None, None])
    return (mask_BTS | (seen_S == column_T[:, None]))[:, None]


class Cache:
    """What attention keeps of the tokens so far, of every layer of a model and every row of a batch.

    config       a ModelConfig: its layers, and the kind and sizes of its attention
    batch        rows                            max_length   columns that there is room for
    padding_B    ints [batch]: columns at the left of each row that are empty; None: none are
    dtype        of the layers' weights          device       theirs

    A model fills it by itself (`model(ids, cache=cache)`), and so does attention alone: in pieces with a cache is the
    whole.

    >>> import torch, minids
    >>> from minids.model.attention import GroupedQueryAttention
    >>> config = minids.ModelConfig(attention="gqa", num_key_value_heads=2, hidden_size=32, num_attention_heads=4,
    ...                             qk_nope_head_dim=8, qk_rope_head_dim=8, v_head_dim=8, num_hidden_layers=1)
    >>> attention, x_BTD = GroupedQueryAttention(config, layer=0), torch.randn(2, 10, 32)
    >>> cos, sin = minids.rotary_table(config, 10)
    >>> cache = minids.Cache(config, batch=2, max_length=10)
    >>> pieces = [attention(x_BTD[:, t], cos[t], sin[t], cache=cache) for t in (slice(0, 5), slice(5, 9), slice(9, 10))]
    >>> torch.allclose(torch.cat(pieces, dim=1), attention(x_BTD, cos, sin), atol=1e-6)
    True
    >>> keys, values = cache.keys_and_values(layer=0)
    >>> keys.shape, values.shape
    (torch.Size([2, 10, 2, 16]), torch.Size([2, 10, 2, 8]))

    Views, which copy nothing: `columns(layer)` is all that lies in a layer, `latents(layer)` (MLA) and
    `keys_and_values(layer)` (MHA, GQA) are its parts. `lengths` counts the columns in use of each layer, `length` those
    of the first; `data` is the storage, [layers, batch, max_length, config.cache_elements]. MTP modules have layers
    behind the model's.

    Rows of different lengths stand at the right: cache = Cache(config, 2, 10, padding_B=[3, 0]), and
    `positions(new)` says which angles the next `new` columns of each row have.

    With gradients a cache serves one forward: the next one changes what the first's backward needs, and torch says so.
    Decode under torch.no_grad(). Raises MinidsError for arguments that make no cache.
    """

    def __init__(self, config, batch, max_length, padding_B=None, dtype=torch.float32, device=None):
        if not isinstance(config, ModelConfig):
            raise MinidsError(
                f"cache: config must be a ModelConfig, got {brief(config)}. A model has one: model.config."
            )
        for name, value in (("batch", batch), ("max_length", max_length)):
            if not whole(value) or value < 0:
                raise MinidsError(f"cache: {name} must be a whole number, at least 0, got {brief(value)}.")
        if not isinstance(dtype, torch.dtype) or not dtype.is_floating_point:
            raise MinidsError(f"cache: dtype must be a floating-point type, got {brief(dtype)}.")
        layers = config.num_hidden_layers + config.num_nextn_predict_layers
        size = layers * batch * max_length * config.cache_elements * dtype.itemsize
        what = f"the cache of {batch} x {max_length} tokens"
        memory.afford(size, what, "Ask for fewer new tokens, or fewer texts at a time (max_batch).", device or "cpu")
        self.config = config
        self.data = torch.zeros(layers, batch, max_length, config.cache_elements, dtype=dtype, device=device)
        self.lengths = [0] * layers
        self.padding_B = _padding(padding_B, batch, max_length, self.data.device)

    @property
    def length(self):
        """Columns in use in the first layer."""
        return self.lengths[0]

    def append(self, layer, new_BTC):
        """Stores the new columns of a layer and returns all its columns so far, [B, S, C].

        Raises MinidsError for columns that do not fit this cache and ValueError (from `store`) where there is no room
        for them; in both cases nothing is written.
        """
        self._check_layer(layer)
        rows, _, width = self.data.shape[1:]
        if new_BTC.ndim != 3 or new_BTC.shape[0] != rows or new_BTC.shape[2] != width:
            raise MinidsError(
                f"cache: new columns must be [{rows}, T, {width}] (rows, new tokens, elements of a token), got "
                f"{list(new_BTC.shape)}. Nothing was stored."
            )
        same = new_BTC.dtype == self.data.dtype or torch.is_autocast_enabled(self.data.device.type)
        if not same or new_BTC.device != self.data.device:
            raise MinidsError(
                f"cache: it holds {self.data.dtype} on {self.data.device}, the new columns are {new_BTC.dtype} on "
                f"{new_BTC.device}. Make it with dtype= and device= of the layers. Nothing was stored."
            )
        columns_BSC = store(self.data[layer], self.lengths[layer], new_BTC)
        self.lengths[layer] = columns_BSC.shape[1]
        return columns_BSC

    def truncate(self, length, layer=None):
        """Forgets the columns from `length` on, in one layer or in all. Nothing comes back where there are fewer.
        Raises MinidsError for a length that is no whole number, 0 or more."""
        if not whole(length) or length < 0:
            raise MinidsError(f"cache: truncate to a whole number of columns, at least 0, got {brief(length)}.")
        if layer is not None:
            self._check_layer(layer)
        for i in range(len(self.lengths)) if layer is None else [layer]:
            self.lengths[i] = min(self.lengths[i], length)

    # -- what lies in it, as views -------------------------------------------------------------------------------------

    def columns(self, layer):
        """All columns in use of a layer, [B, S, C] with C = config.cache_elements. `mla_decode` reads them as they are,
        and knows no padding at the left."""
        self._check_layer(layer)
        return self.data[layer, :, : self.lengths[layer]]

    def latents(self, layer):
        """MLA's: normalised latents [B, S, kv_lora_rank], and the rotated keys that all heads share,
        [B, S, qk_rope_head_dim]. Raises MinidsError for another kind of attention."""
        c, columns_BSC = self.config, self.columns(layer)
        if LIKE[c.attention] != "mla":
            raise MinidsError(f"cache: attention {c.attention!r} keeps no latents. Use keys_and_values({layer}).")
        return columns_BSC.split([c.kv_lora_rank, c.qk_rope_head_dim], dim=-1)

    def keys_and_values(self, layer):
        """MHA's and GQA's: keys [B, S, G, qk_head_dim], their last qk_rope_head_dim elements rotated, and values
        [B, S, G, v_head_dim], with G = num_key_value_heads. Raises MinidsError for another kind of attention."""
        c = self.config
        if LIKE[c.attention] == "mla":
            raise MinidsError(f"cache: attention {c.attention!r} keeps latents, no keys. Use latents({layer}).")
        return split_keys_and_values(self.columns(layer), c)

    # -- what the next columns are -------------------------------------------------------------------------------------

    def positions(self, new, start=None):
        """The place in its own text of each of the next `new` columns, [B, new]; 0 in padding.

        start   the column that the first of them is written to; None: behind what the first layer holds
        """
        column_T = (self.length if start is None else start) + torch.arange(new, device=self.data.device)
        return (column_T - self.padding_B[:, None]).clamp(min=0)

    def mask(self, new, start=None):
        """What the next `new` columns may see -> bool [B or 1, 1, new, start + new]; start as in `positions`."""
        start = self.length if start is None else start
        if new > 1 or self.padding_B.any():
            return causal_mask(new, start + new, self.padding_B, self.data.device)
        return torch.ones(1, 1, new, start + new, dtype=torch.bool, device=self.data.device)

    @property
    def nbytes(self):
        """Bytes in use: elements * columns * rows, over the layers."""
        return sum(self.lengths) * self.data.shape[1] * self.data.shape[3] * self.data.element_size()

    # -- what cannot be ------------------------------------------------------------------------------------------------

    def _check_layer(self, layer):
        if not whole(layer) or not 0 <= layer < len(self.lengths):
            raise MinidsError(
                f"cache: there is no layer {brief(layer)}; this one has layers 0 to {len(self.lengths) - 1}. Make it "
                "with the config of the model."
            )

    def check(self, where, config, rows, new, layer, weight):
        """Refuses, before anything is written, to serve a layer that this cache was not made for.

        where names the layer's class in errors; its config, rows and new columns of its input, its number, its weights
        """
        self._check_layer(layer)
        data, start = self.data, self.lengths[layer]
        if self.config is not config and kept(self.config) != kept(config):
            raise MinidsError(
                f"{where}: the cache was made for {kept(self.config)}, this layer has {kept(config)}. Make it with "
                "this layer's config."
            )
        if data.shape[1] != rows:
            raise MinidsError(
                f"{where}: the input has {rows} rows, the cache {data.shape[1]}. Make one with batch={rows}."
            )
        if data.dtype != weight.dtype and not torch.is_autocast_enabled(weight.device.type):
            raise MinidsError(
                f"{where}: the cache is {data.dtype}, the layer {weight.dtype}. Make it with dtype={weight.dtype}."
            )
        if data.device != weight.device:
            raise MinidsError(
                f"{where}: the cache is on {data.device}, the layer on {weight.device}. Make it with "
                f"device={str(weight.device)!r}."
            )
        if start + new > data.shape[2]:
            raise ValueError(
                f"{where}: the cache holds {data.shape[2]} tokens per row, {start + new} were asked for. Make it with "
                "a larger max_length, or truncate it."
            )


def kept(config):
    """What a layer of this config keeps of a token, in words."""
    c = config
    if LIKE[c.attention] == "mla":
        return f"MLA with latents of {c.kv_lora_rank} and rotated keys of {c.qk_rope_head_dim}"
    sizes = f"keys of {c.qk_nope_head_dim} + {c.qk_rope_head_dim} and values of {c.v_head_dim}"
    return f"{c.num_key_value_heads} heads with {sizes}"


def split_keys_and_values(columns_BSC, config):
    """The columns of MHA or GQA as keys [B, S, G, E] and values [B, S, G, V]."""
    c, G = config, config.num_key_value_heads
    k, v = columns_BSC.split([G * c.qk_head_dim, G * c.v_head_dim], dim=-1)
    return k.unflatten(-1, (G, c.qk_head_dim)), v.unflatten(-1, (G, c.v_head_dim))


def _padding(padding_B, batch, max_length, device):
    if padding_B is None:
        return torch.zeros(batch, dtype=torch.long, device=device)
    values = padding_B.tolist() if torch.is_tensor(padding_B) else padding_B
    fits = isinstance(values, (list, tuple)) and len(values) == batch
    if not fits or not all(whole(value) and 0 <= value <= max_length for value in values):
        raise MinidsError(
            f"cache: padding_B must be {batch} whole numbers from 0 to {max_length}, the empty columns at the left of "
            f"each row, got {brief(values)}."
        )
    return torch.as_tensor(padding_B, dtype=torch.long, device=device)
