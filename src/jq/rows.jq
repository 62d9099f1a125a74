# @csv and @tsv, which jq has and the library lacks.
def _row(f): map(
  if isstring then f
  elif isnumber or isboolean then tostring
  elif . == null then ""
  else error("a row cannot hold \(type)") end);
def _replaced($old; $new): split($old) | join($new);
def @csv: _row("\"" + _replaced("\""; "\"\"") + "\"") | join(",");
def @tsv: _row(
  _replaced("\\"; "\\\\") | _replaced("\t"; "\\t") | _replaced("\n"; "\\n") | _replaced("\r"; "\\r")) | join("\t");
