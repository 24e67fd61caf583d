"""Networks with attention."""

from .registry import workload
from .training import step_of


def causal_block(torch, width, heads):
    """A block of GPT: attention to what came before, then two linear layers."""
    nn = torch.nn

    class Attention(nn.Module):
        def __init__(self):
            super().__init__()
            self.inputs = nn.Linear(width, 3 * width)
            self.output = nn.Linear(width, width)

        def forward(self, x):
            batch, length, _ = x.shape
            parts = self.inputs(x).split(width, dim=2)
            q, k, v = (p.view(batch, length, heads, -1).transpose(1, 2) for p in parts)
            y = nn.functional.scaled_dot_product_attention(q, k, v, is_causal=True)
            return self.output(y.transpose(1, 2).contiguous().view(batch, length, width))

    class Block(nn.Module):
        def __init__(self):
            super().__init__()
            self.attention = nn.Sequential(nn.LayerNorm(width), Attention())
            self.feedforward = nn.Sequential(
                nn.LayerNorm(width),
                nn.Linear(width, 4 * width),
                nn.GELU(),
                nn.Linear(4 * width, width),
            )

        def forward(self, x):
            x = x + self.attention(x)
            return x + self.feedforward(x)

    return Block()


def language_model(torch, vocabulary, context, width, layers, heads):
    """GPT: the logits of each next token. The embedding is the last layer's weight, too."""
    nn = torch.nn

    class GPT(nn.Module):
        def __init__(self):
            super().__init__()
            self.tokens = nn.Embedding(vocabulary, width)
            self.positions = nn.Embedding(context, width)
            self.blocks = nn.Sequential(*(causal_block(torch, width, heads) for _ in range(layers)))
            self.norm = nn.LayerNorm(width)
            self.head = nn.Linear(width, vocabulary, bias=False)
            for p in self.parameters():
                if p.dim() > 1:
                    nn.init.normal_(p, std=0.02)
            self.head.weight = self.tokens.weight

        def forward(self, tokens):
            positions = torch.arange(tokens.shape[1])
            x = self.tokens(tokens) + self.positions(positions)
            return self.head(self.norm(self.blocks(x)))

    return GPT()


@workload("gpt", ratio=1.3)
def gpt(torch, batch=8, layers=4):
    """A step of a GPT on characters: 4 layers, 4 heads, width 128, 8 x 128 tokens, AdamW."""
    torch.manual_seed(0)
    model = language_model(torch, 65, 128, 128, layers, 4)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, betas=(0.9, 0.99))

    def loss(tokens, targets):
        return torch.nn.functional.cross_entropy(model(tokens).view(-1, 65), targets.view(-1))

    step = step_of(optimizer, loss)
    text = torch.randint(0, 65, (batch, 129))
    tokens, targets = text[:, :-1].contiguous(), text[:, 1:].contiguous()
    return lambda: step(tokens, targets)


@workload("encoder_infer", ratio=1.2)
def encoder_inference(torch, layers=4):
    """What a Transformer encoder says of one sequence: 64 x 256, 4 layers, 8 heads."""
    torch.manual_seed(0)
    nn = torch.nn
    layer = nn.TransformerEncoderLayer(256, 8, batch_first=True)
    model = nn.TransformerEncoder(layer, layers).eval()
    x = torch.randn(1, 64, 256)

    def call():
        with torch.no_grad():
            return model(x)

    return call
