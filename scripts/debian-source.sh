# SPDX-License-Identifier: ISC
# shellcheck shell=bash
# scripts/debian-source.sh: a Debian source package, fetched, verified and cached. Sourced by
# scripts/fetch-mbedtls and scripts/fetch-lwip after scripts/common.sh, never run.
#
# Cache:  ${XDG_CACHE_HOME:-~/.cache}/crunch/sources, which no build tree owns; enough off-line.
# Trust:  apt verifies the release file's signature with Debian's archive keyring and each file's
#         digest by it; the digests are noted beside the files and checked at every later use.
# System: a private apt configuration; the system's own lists and sources are not touched. The
#         mirror is the one that the system's own apt sources name for Debian.
# Needs:  package, series (whose point releases replace one another, so any is taken), version_min,
#         suite, marker (a file of the unpacked source), option (the -D that names another source).

keyring=/usr/share/keyrings/debian-archive-keyring.gpg
cache=${XDG_CACHE_HOME:-~/.cache}/crunch/sources  # by bash's ~, which needs no $HOME

# Prints the newest cached folder whose files still have their digests.
cached() {
  local sums folder
  # shellcheck disable=SC2154  # the caller's
  for sums in $(find "$cache" -name "${package}_*.sha256" 2>/dev/null | sort -rV); do
    folder=$cache/$package-$(basename "$sums" .sha256 | cut -d_ -f2-)
    # shellcheck disable=SC2154
    if (cd "$cache" && sha256sum --check --status "$sums") && [ -f "$folder/$marker" ]
    then echo "$folder"; return 0; fi
  done
  return 1
}

# The first mirror of Debian itself among the system's apt sources.
mirror() {
  local lines
  # shellcheck disable=SC2016  # apt fills these in, not the shell
  lines=$(apt-get indextargets --format '$(REPO_URI) $(ORIGIN)/$(LABEL)' 2>/dev/null || true)
  awk '$2 == "Debian/Debian" { print $1; exit }' <<<"$lines" | grep . && return
  # No index was ever fetched: read the sources themselves.
  cat /etc/apt/sources.list /etc/apt/sources.list.d/*.{list,sources} 2>/dev/null |
    sed -n -E 's/^(URIs:|deb(-src)?( \[[^]]*\])?) +([^ ]*\/debian)\/?( .*)?$/\4/p' | head -1 |
    grep .
}

# shellcheck disable=SC2154  # the caller's variables
fetch() {
  command -v dpkg-source >/dev/null || die "dpkg-source is missing: apt-get install dpkg-dev"
  [ -f $keyring ] || die "$keyring is missing: apt-get install debian-archive-keyring"
  local from version dsc stem
  from=$(mirror) || die "the system's apt sources name no Debian mirror; put the source of" \
    "$package $series somewhere and give -D$option=DIR"
  work=$(mktemp -d)
  trap 'rm -rf "$work"' EXIT
  mkdir -p "$work"/{parts,lists/partial,cache/archives/partial,files}
  echo "deb-src [signed-by=$keyring] $from $suite main" >"$work/sources.list"
  local apt=(apt-get -qq -o "Dir::Etc::sourcelist=$work/sources.list"
    -o "Dir::Etc::sourceparts=$work/parts" -o "Dir::State::Lists=$work/lists"
    -o "Dir::Cache=$work/cache" -o APT::Sandbox::User=root -o Acquire::Retries=2)
  "${apt[@]}" update >&2 || die "the index of $suite could not be fetched"
  (cd "$work/files" && "${apt[@]}" source --download-only "$package" >&2) ||
    die "the source package $package of $suite could not be fetched"

  dsc=$(cd "$work/files" && echo "$package"_*.dsc)
  version=$(sed -n 's/^Version: //p' "$work/files/$dsc")
  case $version in "$series".*) ;; *) die "$suite has $package $version, not $series.x" ;; esac
  dpkg --compare-versions "$version" ge "$version_min" ||
    die "$suite has $package $version, older than $version_min"
  stem=${package}_${version}
  # dpkg-source checks the archives against the .dsc and applies Debian's patches.
  dpkg-source --extract "$work/files/$dsc" "$work/source" >"$work/log" 2>&1 ||
    { cat "$work/log" >&2; die "the source package could not be unpacked"; }

  mkdir -p "$cache"
  rm -rf "${cache:?}/$package-$version"
  cp "$work"/files/* "$cache/"
  cp -a "$work/source" "$cache/$package-$version"
  # Last, so that an interrupted run leaves no copy that looks good.
  (cd "$work/files" && sha256sum -- *) >"$cache/$stem.sha256"
}

# The command line that the scripts share.
fetch_source() {
  case ${1-} in
    -h | --help) show_help; exit 0 ;;
    --cached) cached || die "no copy is cached: run scripts/$(basename "$0")" ;;
    --renew) fetch && cached ;;
    "") cached || { fetch && cached; } ;;
    *) usage_error "unknown argument '$1'" ;;
  esac
}
