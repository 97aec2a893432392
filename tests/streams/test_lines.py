"""Records are read from files and pipes with the line numbers a person sees in an editor."""

from __future__ import annotations

import gzip
import io
from pathlib import Path

import orjson
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from schemas import decode
from streams.errors import UsageError
from streams.lines import Chunk, csv_chunks, json_chunks, read_chunks


def joined(chunks: list[Chunk]) -> Chunk:
    return [n for numbers, _ in chunks for n in numbers], [v for _, values in chunks for v in values]


def test_blank_lines_are_passed_over_and_still_counted() -> None:
    numbers, values = joined(list(json_chunks(io.BytesIO(b'{"a":1}\n\n  \r\n{"a":2}\r\n{"a":3}'))))
    assert numbers == [1, 4, 5]
    assert values == [b'{"a":1}', b'{"a":2}', b'{"a":3}']


def test_a_line_that_arrives_in_pieces_is_one_record() -> None:
    pieces = [b'{"a"', b':1}\n{"a":', b"2}\n", b""]

    class Pipe(io.RawIOBase):
        def read(self, size: int = -1) -> bytes:
            return pieces.pop(0)

    chunks = list(json_chunks(Pipe()))  # type: ignore[arg-type]
    assert chunks == [([1], [b'{"a":1}']), ([2], [b'{"a":2}'])]


def test_csv_cells_become_the_kind_of_their_field() -> None:
    text = (
        "security,ts,price,qty,side,seq\n"
        "600519.SH,1743987600000,1499.50,100,B,\n"
        '000001.SZ,1743987600001,"10.1",200,,7\n'
    )
    numbers, values = joined(list(csv_chunks(io.BytesIO(text.encode("utf-8-sig")), "market.trades")))
    assert numbers == [2, 3]
    first, second = (decode("market.trades", value) for value in values)
    assert (first.security, first.price, first.qty, first.side, first.seq) == (
        "600519.SH",
        1_499_500,
        100,
        "B",
        None,
    )
    assert (second.price, second.side, second.seq) == (10_100, None, 7)


def test_csv_accounts_made_of_digits_stay_names_and_nested_fields_are_json() -> None:
    text = (
        "account,ts,id,kind,cash,positions,contracts\n"
        '0600123456,1743987600000,o1,opening,5.5,"[{""security"":""600519.SH"",""qty"":100}]",[]\n'
    )
    _, values = joined(list(csv_chunks(io.BytesIO(text.encode()), "account.events")))
    opening = decode("account.events", values[0])
    assert opening.account == "0600123456"
    assert opening.positions[0].qty == 100


def test_a_cell_that_does_not_fit_is_left_for_validation_to_name() -> None:
    _, values = joined(
        list(csv_chunks(io.BytesIO(b"security,ts,price,qty\n600519.SH,now,1,1.5\n"), "market.trades"))
    )
    assert orjson.loads(values[0]) == {"security": "600519.SH", "ts": "now", "price": "1", "qty": "1.5"}


def test_parquet_rows_are_numbered_from_one_and_nulls_are_absent(tmp_path: Path) -> None:
    path = tmp_path / "trades.parquet"
    table = {"security": ["600519.SH", "000001.SZ"], "ts": [1, 2], "price": ["1.5", "2.5"], "seq": [None, 4]}
    pq.write_table(pa.table(table), path)
    numbers, values = joined(list(read_chunks(path, "market.trades")))
    assert numbers == [1, 2]
    assert orjson.loads(values[0]) == {"security": "600519.SH", "ts": 1, "price": "1.5"}


def test_compressed_files_are_read_by_their_inner_suffix(tmp_path: Path) -> None:
    path = tmp_path / "trades.jsonl.gz"
    path.write_bytes(gzip.compress(b'{"a":1}\n'))
    assert joined(list(read_chunks(path, "market.trades"))) == ([1], [b'{"a":1}'])


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("x.txt", b""),
        ("x.parquet", b"PAR?"),
        ("x.csv", b"\xff"),
        ("x.csv.gz", b"a,b"),
        ("x.jsonl.gz", gzip.compress(b'{"a":1}')[:-9]),
    ],
)
def test_a_file_that_cannot_be_read_is_one_clear_message(tmp_path: Path, name: str, content: bytes) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(UsageError):
        list(read_chunks(path, "market.trades"))
    with pytest.raises(UsageError, match="there is no file"):
        list(read_chunks(tmp_path / "none.csv", "market.trades"))
