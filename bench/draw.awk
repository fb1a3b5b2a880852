# Draws the charts of a table that bench/run has written, as SVG:
#   LC_ALL=C awk -v to=bench/charts -f bench/draw.awk bench/RESULTS.md
# prints the name of each chart and what it shows. The same table always gives the same files.
# Only what every awk has is used here.

/^\| row \| floor p50 \|/ { in_table = 1; next }
in_table && !/^\|/ { in_table = 0 }
in_table && !/^\| ---/ {
  split($0, cell, /[ \t]*\|[ \t]*/)
  row = cell[2]
  rows[++n] = row
  floor[row] = cell[3]
  java[row] = cell[4]
  ratio[row] = cell[5]
  gate[row] = cell[7]
  verdict[row] = cell[8]
}

END {
  compared()
  contended()
  pages()
}

# ---- drawing ----

# Its own background, so that it can be read on any page; the reader's colour scheme decides which.
function begin(name, width, height, title, note) {
  file = to "/" name ".svg"
  printf "%s %s\n", name, title
  print "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"" width "\" height=\"" height \
    "\" viewBox=\"0 0 " width " " height "\" role=\"img\" aria-label=\"" title "\">" > file
  print "<style>" > file
  print ".back{fill:#fff;stroke:#d1d9e0}.grid{stroke:#e4e8ec}" > file
  print "text{font:12px system-ui,-apple-system,\"Segoe UI\",Helvetica,Arial,sans-serif;fill:#1f2328}" > file
  print ".title{font-size:15px;font-weight:600}.note,.tick{fill:#59636e}.right{text-anchor:end}.mid{text-anchor:middle}" > file
  print ".bad{fill:#cf222e;font-weight:600}.f0{fill:#9aa4af}.gate{stroke:#cf222e;stroke-width:2}" > file
  print ".f1{fill:#0969da}.f2{fill:#bc4c00}.f3{fill:#1a7f37}" > file
  print ".s1{stroke:#0969da}.s2{stroke:#bc4c00}.s3{stroke:#1a7f37}.line{fill:none;stroke-width:2}.floor{stroke-dasharray:5 4}" > file
  print "@media(prefers-color-scheme:dark){" > file
  print ".back{fill:#0d1117;stroke:#3d444d}.grid{stroke:#262c36}" > file
  print "text{fill:#f0f6fc}.note,.tick{fill:#9198a1}.bad{fill:#ff7b72}.f0{fill:#6e7781}.gate{stroke:#ff7b72}" > file
  print ".f1{fill:#4493f8}.f2{fill:#f0883e}.f3{fill:#3fb950}.s1{stroke:#4493f8}.s2{stroke:#f0883e}.s3{stroke:#3fb950}" > file
  print "}</style>" > file
  printf "<rect class=\"back\" x=\"0.5\" y=\"0.5\" width=\"%d\" height=\"%d\" rx=\"6\"/>\n", width - 1, height - 1 > file
  text(16, 27, title, "title")
  text(16, 46, note, "note")
}

function end() {
  print "</svg>" > file
  close(file)
}

function text(x, y, string, class) {
  class = class == "" ? "" : " class=\"" class "\""
  printf "<text x=\"%.1f\" y=\"%.1f\"%s>%s</text>\n", x, y, class, string > file
}

function rect(x, y, width, height, class) {
  printf "<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" class=\"%s\"/>\n", x, y, width, height, class > file
}

function line(x1, y1, x2, y2, class) {
  printf "<line x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\" class=\"%s\"/>\n", x1, y1, x2, y2, class > file
}

function dot(x, y, class) {
  printf "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"3.5\" class=\"%s\"/>\n", x, y, class > file
}

# ---- logarithmic scales: `at` gives a fraction of the range that stretch() was told the values of ----

function log10(x) { return log(x) / log(10) }

function shrink() { least = most = "" }

function stretch(x) {
  if (x == "" || x + 0 <= 0) return
  if (least == "" || x + 0 < least) least = x + 0
  if (most == "" || x + 0 > most) most = x + 0
}

# Whole decades, so that every line of the grid is a power of ten; begun below the least value, so that a bar of that has some length.
function decades(below) {
  low = decade(least / below)
  high = decade(most)
  if (10 ^ high < most * 0.999999) high++
  if (high == low) high++
}

function decade(x,    d) {
  d = int(log10(x))
  if (10 ^ d > x * 1.000001) d--
  return d
}

function at(x) { return (log10(x) - low) / (high - low) }

function power(d) { return d < 0 ? sprintf("%." (-d) "f", 10 ^ d) : commas(sprintf("%d", 10 ^ d)) }

function commas(number,    tail) {
  if (number !~ /^[0-9]+$/) return number
  for (; length(number) > 3; number = substr(number, 1, length(number) - 3))
    tail = "," substr(number, length(number) - 2) tail
  return number tail
}

# ---- the charts ----

# All rows that have a floor.
function compared(    i, r, k, y, d, bottom, mark) {
  shrink()
  for (i = 1; i <= n; i++)
    if (ratio[rows[i]] != "") {
      k++
      stretch(floor[rows[i]])
      stretch(java[rows[i]])
    }
  if (!k) return
  decades(1.5)
  left = 226; width = 370; top = 92; bottom = top + 24 * k
  begin("compared", 908, bottom + 34, "The library beside its C floors", \
    "Microseconds (retouch: per MiB), logarithmic scale; shorter is better. A mark on a bar is its gate.")
  rect(left, 60, 12, 8, "f0"); text(left + 17, 68, "C floor")
  rect(left + 80, 60, 12, 8, "f1"); text(left + 97, 68, "Java")
  line(left + 147, 57, left + 147, 71, "gate"); text(left + 154, 68, "gate")
  text(664, 84, "floor", "note right"); text(724, 84, "Java", "note right"); text(778, 84, "ratio", "note right")
  text(792, 84, "gate", "note")
  for (d = low; d <= high; d++) {
    line(left + width * at(10 ^ d), top - 2, left + width * at(10 ^ d), bottom + 4, "grid")
    text(left + width * at(10 ^ d), bottom + 19, power(d), "tick mid")
  }
  y = top
  for (i = 1; i <= n; i++) {
    r = rows[i]
    if (ratio[r] == "") continue
    text(left - 8, y + 15, r, "right")
    rect(left, y + 3, width * at(floor[r]), 8, "f0")
    rect(left, y + 12, width * at(java[r]), 8, "f1")
    if (gate[r] != "") {
      mark = gate[r]
      sub(/^<= /, "", mark)
      mark = mark ~ /us$/ ? mark + 0 : floor[r] * mark
      if (at(mark) > 0 && at(mark) <= 1)
        line(left + width * at(mark), y + 9.5, left + width * at(mark), y + 22.5, "gate")
    }
    text(664, y + 15, commas(floor[r]), "right"); text(724, y + 15, commas(java[r]), "right")
    text(778, y + 15, ratio[r], "right" (verdict[r] == "FAIL" ? " bad" : ""))
    if (gate[r] != "") {
      mark = gate[r]
      sub(/^<=/, "\\&lt;=", mark)
      text(792, y + 15, mark (verdict[r] == "FAIL" ? ", missed" : ""), verdict[r] == "FAIL" ? "bad" : "note")
    }
    y += 24
  }
  end()
}

# The grid of the values' scale; the plot's area is left, top, width, height.
function frame(    d) {
  for (d = low; d <= high; d++) {
    line(left, level(10 ^ d), left + width, level(10 ^ d), "grid")
    text(left - 8, level(10 ^ d) + 4, power(d), "tick right")
  }
}

function level(x) { return top + height * (1 - at(x)) }

function contended(    i, t, x, path, mean, threads) {
  shrink()
  split("1 2 4 8 16", threads, " ")
  for (i = 1; i <= 5; i++) {
    stretch(java["acquire_contended_" threads[i]])
    stretch(java["acquire_contended_" threads[i] "_mean"])
  }
  if (least == "") return
  decades(1)
  left = 70; width = 580; top = 84; height = 230
  begin("contended", 680, 366, "Acquire and release, by many threads at once", \
    "Microseconds that one pair takes one thread, logarithmic scale.")
  frame()
  for (i = 1; i <= 5; i++) text(left + width * (i - 0.5) / 5, top + height + 20, threads[i], "tick mid")
  text(left + width / 2, top + height + 38, "threads", "note mid")
  for (mean = 0; mean <= 1; mean++) {
    path = ""
    for (i = 1; i <= 5; i++) {
      t = java["acquire_contended_" threads[i] (mean ? "_mean" : "")]
      if (t == "") continue
      x = left + width * (i - 0.5) / 5
      path = path (path == "" ? "M" : " L") sprintf("%.1f %.1f", x, level(t))
      dot(x, level(t), mean ? "f2" : "f1")
      text(x, level(t) + (mean ? -9 : 18), t, "mid")
    }
    if (path == "") continue
    print "<path d=\"" path "\" class=\"line " (mean ? "s2" : "s1") "\"/>" > file
    rect(left + (mean ? 92 : 0), 59, 12, 8, mean ? "f2" : "f1")
    text(left + (mean ? 109 : 17), 68, mean ? "mean: waiting included" : "median")
  }
  end()
}

# What each of three ways to a used stub costs, by the number of pages it has touched.
function pages(    i, j, k, r, v, x, y, path, list, count, side, item, part, ticks, names) {
  # A row's name and number, and touched pages for each of that number.
  list = "recycle 1 2;recycle 32 2;recycle 512 2;spawn_child 0 1;spawn_child 256 1;spawn_child 2560 1;map_again 256 1;map_again 2560 1"
  count = split(list, item, ";")
  shrink()
  for (i = 1; i <= count; i++) {
    split(item[i], part, " ")
    r = part[1] "_" part[2]
    stretch(java[r])
    stretch(floor[r])
  }
  if (least == "") return
  decades(1)
  left = 70; width = 470; top = 84; height = 290
  begin("pages", 680, 426, "Recycling, copying or filling a stub, by touched pages", \
    "Microseconds; both scales logarithmic. recycle: the pages on both sides of the image together.")
  frame()
  k = split("0 2 16 64 256 1024 2560", ticks, " ")
  for (i = 1; i <= k; i++) {
    line(across(ticks[i]), top + height, across(ticks[i]), top + height + 5, "grid")
    text(across(ticks[i]), top + height + 20, ticks[i], "tick mid")
  }
  text(left + width / 2, top + height + 38, "touched pages of 4 KiB", "note mid")
  line(left, 64, left + 26, 64, "line s1"); text(left + 32, 68, "Java")
  line(left + 80, 64, left + 106, 64, "line s1 floor"); text(left + 112, 68, "C floor")
  split("recycle spawn_child map_again", names, " ")
  for (j = 1; j <= 3; j++)
    for (side = 0; side <= 1; side++) {
      path = ""
      for (i = 1; i <= count; i++) {
        split(item[i], part, " ")
        if (part[1] != names[j]) continue
        v = side ? java[part[1] "_" part[2]] : floor[part[1] "_" part[2]]
        if (v == "") continue
        x = across(part[2] * part[3])
        y = level(v)
        path = path (path == "" ? "M" : " L") sprintf("%.1f %.1f", x, y)
        if (side) dot(x, y, "f" j)
      }
      if (path == "") continue
      print "<path d=\"" path "\" class=\"line s" j (side ? "" : " floor") "\"/>" > file
      if (side && x > left + width - 1) text(x + 9, y + 4, names[j], "f" j)
      else if (side) text(x, y - 10, names[j], "right f" j) # beside it another line may pass
    }
  end()
}

# None is a number of pages too.
function across(count) { return left + width * log(count + 1) / log(2561) }
