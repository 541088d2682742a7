import { describe, expect, it } from 'vitest'
import { installedPackages } from './installed-packages.ts'

function read(command: string, files: Readonly<Record<string, readonly string[]>> = {}) {
  const said: string[] = []
  const packages = installedPackages(
    command,
    (sentence) => said.push(sentence),
    (path) => files[path] ?? null,
  )
  return { packages, said }
}

describe('the packages that a command of a notebook installs', () => {
  it.each([
    // The installer.
    ['!pip install one two', 'one two'],
    ['%pip install one', 'one'],
    ['pip install one==1.2', 'one==1.2'],
    ['!!pip3.11 install one', 'one'],
    ['done = !pip install one', 'one'],
    ['%uv pip install one', 'one'],
    ['!uv add one', 'one'],
    ['!uv --quiet pip --offline install one', 'one'],
    ['!python3 -u -m pip install one', 'one'],
    ['!{sys.executable} -m pip install one', 'one'],
    ['!/usr/bin/python3.12 -m uv pip install one', 'one'],
    ['!/opt/bin/pip install one', 'one'],
    ['!sudo -H PIP_NO_INPUT=1 pip --proxy http://p install one', 'one'],
    ['%time !pip install one', ''],
    ['%system pip install one', 'one'],
    ['!echo pip install one', ''],
    ['!pip uninstall one', ''],
    ['!pip download one', ''],
    ['!apt-get install one', ''],
    ['!npm install one', ''],
    ['!grep pip install', ''],
    ['%matplotlib inline', ''],
    // The end of a command.
    ['!pip install one && echo done | tee log', 'one'],
    ['!pip install one;echo done', 'one'],
    ['!pip install one||pip install two', 'one two'],
    ['!cd x && pip install one & wait', 'one'],
    ['!(pip install one) > log; ls', 'one'],
    ['!if true; then pip install one; fi', 'one'],
    ['!pip install one # and two', 'one'],
    ['!pip install one#two', 'one#two'],
    ['!pip install one > log two 2>&1', 'one two'],
    ['!pip install one 2>/dev/null', 'one'],
    ['!pip install one&>log', 'one'],
    ['!pip install one < /dev/null', 'one'],
    // Options.
    ['!pip install -q --upgrade one', 'one'],
    ['!pip install --progress-bar off --timeout 100 --retries 3 one', 'one'],
    ['!pip install -U --upgrade-strategy eager one', 'one'],
    ['!pip install --upgrade-str eager one', 'one'],
    ['!pip install -qt target one', 'one'],
    ['!pip install -tfolder one', 'one'],
    ['!pip install --target=folder one', 'one'],
    ['!pip install one --root-user-action ignore', 'one'],
    ['!pip install --pre one', 'one'],
    ['!pip install --no-binary :all: one', 'one'],
    ['!uv pip install --python 3.12 --link-mode copy -p 3.11 one', 'one'],
    ['!pip install --python', ''],
    // Words.
    ['!pip install "one>=2" \'two<3\' three==3.*', 'one>=2 two<3 three==3.*'],
    ['!pip install "one [extra] ; python_version > \'3\'"', "one [extra] ; python_version > '3'"],
    ['!pip install o"n"e two\\>=1', 'one two>=1'],
    ['!pip install $(cat list) one `ls` $two {three} "$four"', 'one'],
    ['!pip install ""', ''],
  ])('%s: %s', (command, packages) => {
    expect(read(command).packages.join(' ')).toBe(packages)
  })

  it.each([
    [
      '!conda install -y one',
      'conda has no effect here; packages come from the Python package index: use "pip install"',
    ],
    ['%mamba install one', 'mamba has no effect here'],
    ['!pip install one>=2', 'the shell reads ">=2" as a redirection, not as a version'],
    ['!pip install one<2', 'the shell reads "<2" as a redirection'],
    ['!pip install "one', 'it contains an unclosed quote or bracket'],
    ['!pip install $(cat list', 'it contains an unclosed quote or bracket'],
    ['!pip install {name}', '"{name}" is known only when the notebook runs'],
    ['!pip install -r $FILE', '"$FILE" is known only when the notebook runs'],
    ['!pip install -r none.txt', `pip's option "-r none.txt" has no effect: there is no such file beside the notebook`],
    ['!pip install --index-url https://host one', `pip's option "--index-url https://host" has no effect here`],
    ['!pip install --pre one', `pip's option "--pre" has no effect here`],
    ['!pip install --no-such thing', 'pip has no option "--no-such"; the words after it are ignored'],
    ['!pip install -z thing', 'pip has no option "-z"'],
    ['!pip install -e .', `pip's option "-e ." has no effect here`],
  ])('%s says: %s', (command, sentence) => {
    const { said, packages } = read(command)
    expect(said).toEqual([expect.stringContaining(sentence)])
    expect(packages.join()).toMatch(/^(one)?$/)
  })

  it.each(['!pip install -r list.txt one', '!pip install --requirement=list.txt one', '!pip install -qrlist.txt one'])(
    'include the requirements of a file: %s',
    (command) => {
      expect(read(command, { 'list.txt': ['two==2'] })).toEqual({ packages: ['two==2', 'one'], said: [] })
    },
  )

  it.each(['"', "'", '`', '$(', '{', '\\', '-', '>', ' ', '&', '#', 'a='])(
    'are found in linear time if %j is repeated many times',
    (part) => {
      const before = process.cpuUsage()
      read(`!pip install ${part.repeat(10_000 / part.length)}`)
      read(part.repeat(10_000 / part.length))
      expect(process.cpuUsage(before).user).toBeLessThan(2_000_000)
    },
  )
})
