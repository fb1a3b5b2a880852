// Files and directories through the standard library.
package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

func check(err error) {
	if err != nil {
		panic(err)
	}
}

func main() {
	root, err := os.MkdirTemp("", "files")
	check(err)
	defer os.RemoveAll(root)
	check(os.Chdir(root))
	check(os.MkdirAll("a/b/c", 0o755))
	check(os.WriteFile("a/one", []byte("first\nsecond\n"), 0o644))
	check(os.WriteFile("a/b/two", []byte(strings.Repeat("line\n", 10_000)), 0o600))
	check(os.Symlink("../one", "a/b/link"))

	text, err := os.ReadFile("a/b/link")
	check(err)
	fmt.Printf("%q\n", text)
	check(os.Rename("a/one", "a/b/c/moved"))
	_, err = os.ReadFile("a/b/link")
	fmt.Println(errors.Is(err, fs.ErrNotExist), err)

	check(filepath.Walk(".", func(path string, info fs.FileInfo, err error) error {
		check(err)
		size := info.Size()
		if info.IsDir() {
			size = 0
		}
		fmt.Println(path, info.Mode(), size)
		return nil
	}))

	file, err := os.Open("a/b/two")
	check(err)
	lines := bufio.NewScanner(file)
	count := 0
	for lines.Scan() {
		count++
	}
	at, err := file.Seek(-5, io.SeekEnd)
	check(err)
	rest, err := io.ReadAll(file)
	check(err)
	fmt.Println(count, at, len(rest))
	check(file.Close())

	appended, err := os.OpenFile("a/b/two", os.O_APPEND|os.O_WRONLY, 0)
	check(err)
	_, err = appended.WriteString("the end\n")
	check(err)
	check(appended.Truncate(10))
	check(appended.Close())
	text, err = os.ReadFile("a/b/two")
	check(err)
	fmt.Printf("%q\n", text)

	copied, err := os.Create("copy")
	check(err)
	source, err := os.Open("a/b/c/moved")
	check(err)
	n, err := io.Copy(copied, source)
	check(err)
	fmt.Println("copied", n)

	fmt.Println(os.Remove("a"))
	fmt.Println(os.Mkdir("a", 0o755))
	check(os.Remove("a/b/two"))
	entries, err := os.ReadDir("a/b")
	check(err)
	for _, entry := range entries {
		fmt.Println(entry.Name(), entry.IsDir())
	}
	check(os.RemoveAll("a"))
	_, err = os.Stat("a")
	fmt.Println(err)
	where, err := os.Getwd()
	check(err)
	fmt.Println(where == root)
}
