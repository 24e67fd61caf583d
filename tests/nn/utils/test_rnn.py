"""`flambeau.nn.utils.rnn` against torch."""

import pickle

import pytest

import flambeau

LENGTHS = [[4, 4, 4], [4, 2, 1], [3, 3, 2]]
UNSORTED = [[2, 4, 1], [1, 1, 3], [2, 3, 3]]


def leaves(packed):
    """The fields of a packed sequence that are tensors."""
    return [field for field in packed if field is not None]


@pytest.mark.parametrize("batch_first", [False, True])
@pytest.mark.parametrize("lengths", LENGTHS + UNSORTED)
def test_pack_and_pad(twins, lengths, batch_first):
    x = twins.randn(3, 4, 2) if batch_first else twins.randn(4, 3, 2)
    ours_x = twins.ours(x)
    packed, padded = [], []
    for lib, value in ((flambeau, ours_x), (twins.torch, x)):
        rnn = lib.nn.utils.rnn
        packed.append(
            rnn.pack_padded_sequence(value, lengths, batch_first, enforce_sorted=lengths in LENGTHS)
        )
        padded.append(rnn.pad_packed_sequence(packed[-1], batch_first, 1.5, total_length=6))
    assert [f is None for f in packed[0]] == [f is None for f in packed[1]]
    twins.close(leaves(packed[0]), leaves(packed[1]))
    twins.close(*padded)
    assert padded[0][0].stride() == padded[1][0].stride()
    twins.check_gradients(padded[0][0], padded[1][0], [ours_x], [x], second=True)


def test_lengths_as_tensor(twins):
    x = twins.randn(4, 3, dtype="float64")
    lengths = twins.torch.tensor([4, 2, 2], dtype=twins.torch.int32)
    ours = flambeau.nn.utils.rnn.pack_padded_sequence(twins.ours(x), twins.ours(lengths))
    theirs = twins.torch.nn.utils.rnn.pack_padded_sequence(x, lengths)
    twins.close(leaves(ours), leaves(theirs))


@pytest.mark.parametrize(
    "lengths", [[2, 3], [3, 0], [3, 2, 1], [], [3, -1]], ids=lambda lengths: str(lengths)
)
def test_wrong_lengths(twins, lengths):
    twins.same_error("nn.utils.rnn.pack_padded_sequence", twins.randn(3, 2, 4), lengths)


def test_lengths_must_be_a_vector(twins):
    lengths = twins.torch.tensor([[3, 2]])
    twins.same_error("nn.utils.rnn.pack_padded_sequence", twins.randn(3, 2), lengths)


def test_lengths_beyond_the_input():
    with pytest.raises(RuntimeError, match="exceeds the 3 steps"):
        flambeau.nn.utils.rnn.pack_padded_sequence(flambeau.zeros(3, 2), [4, 2])


def test_total_length_too_small(torch):
    for lib in (flambeau, torch):
        packed = lib.nn.utils.rnn.pack_padded_sequence(lib.zeros(3, 2), [3, 2])
        with pytest.raises(ValueError, match="total_length=2"):
            lib.nn.utils.rnn.pad_packed_sequence(packed, total_length=2)


@pytest.mark.parametrize("side", ["left", "right"])
@pytest.mark.parametrize("batch_first", [False, True])
def test_pad_sequence(twins, batch_first, side):
    sequences = [twins.randn(n, 2, 3) for n in (2, 5, 1)]
    twins.check("nn.utils.rnn.pad_sequence", sequences, batch_first, 7.0, side)


def test_pad_sequence_of_other_inputs(twins):
    path = "nn.utils.rnn.pad_sequence"
    twins.check(path, twins.randn(3, 2))
    twins.check(path, [twins.randint(5, 3), twins.randint(5, 1)])
    twins.check(path, [twins.randn(3, grad=False).bool(), twins.randn(2, grad=False).bool()])
    twins.check(path, [twins.randint(5, 3, 2), twins.randn(2, 2, grad=False)])
    twins.check(path, [twins.randn(0, 2), twins.randn(0, 2)])


def test_wrong_sequences(twins):
    path = "nn.utils.rnn.pad_sequence"
    twins.same_error(path, [])
    twins.same_error(path, 3)
    twins.same_error(path, [twins.randn(3, 2), twins.randn(2, 3)])
    twins.same_error(path, [twins.randn(3, 2), twins.randn(4)])
    twins.same_error(path, [twins.randn(3), twins.torch.tensor(2.0)])
    twins.same_error(path, [twins.randn(3)], padding_side="top")


@pytest.mark.parametrize("lengths", [(3, 2, 1), (2, 3, 1)])
def test_sequences_and_back(twins, lengths):
    x = [twins.randn(n, 2, grad=False) for n in lengths]
    packed, back = [], []
    for lib, sequences in ((flambeau, twins.ours(x)), (twins.torch, x)):
        rnn = lib.nn.utils.rnn
        packed.append(rnn.pack_sequence(sequences, enforce_sorted=lengths[0] == 3))
        back.append(rnn.unpack_sequence(packed[-1]))
    twins.close(leaves(packed[0]), leaves(packed[1]))
    twins.close(back[0], x)
    twins.close(*back)
    assert repr(packed[0]) == repr(packed[1])


@pytest.mark.parametrize("batch_first", [False, True])
def test_unpad_sequence(twins, batch_first):
    padded = twins.randn(3, 4, grad=False) if batch_first else twins.randn(4, 3, grad=False)
    lengths = twins.torch.tensor([4, 1, 2])
    ours = flambeau.nn.utils.rnn.unpad_sequence(
        twins.ours(padded), twins.ours(lengths), batch_first
    )
    twins.close(ours, twins.torch.nn.utils.rnn.unpad_sequence(padded, lengths, batch_first))


def test_invert_permutation(twins):
    assert flambeau.nn.utils.rnn.invert_permutation(None) is None
    twins.check("nn.utils.rnn.invert_permutation", twins.torch.tensor([2, 0, 3, 1]))


def test_conversions_of_packed_sequences():
    rnn = flambeau.nn.utils.rnn
    packed = rnn.pack_sequence([flambeau.ones(1), flambeau.ones(2)], enforce_sorted=False)
    assert packed.float() is packed
    assert packed.cpu() is packed
    assert packed.to(flambeau.float32) is packed
    kinds = {"double": "float64", "half": "float16", "long": "int64", "int": "int32"}
    kinds |= {"short": "int16", "char": "int8", "byte": "uint8"}
    for name, dtype in kinds.items():
        converted = getattr(packed, name)()
        assert isinstance(converted, rnn.PackedSequence)
        assert converted.data.dtype == getattr(flambeau, dtype)
        assert converted.sorted_indices.tolist() == [1, 0]
        assert converted.sorted_indices.dtype == flambeau.int64
    assert not packed.is_cuda
    assert not packed.is_pinned()


def test_making_packed_sequences():
    rnn = flambeau.nn.utils.rnn
    data, sizes = flambeau.ones(3), flambeau.tensor([2, 1])
    pair = rnn.PackedSequence((data, sizes))
    assert pair.data is data
    assert pair.batch_sizes is sizes
    order = flambeau.tensor([1, 0])
    assert rnn.PackedSequence(data, sizes, order).unsorted_indices.tolist() == [1, 0]
    with pytest.raises(AssertionError):
        rnn.PackedSequence(data)
    again = pickle.loads(pickle.dumps(rnn.PackedSequence(data, sizes, order)))
    assert isinstance(again, rnn.PackedSequence)
    assert again.sorted_indices.tolist() == [1, 0]
