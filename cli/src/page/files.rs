//! The page's files.

/// Files by their paths, `index.html` among them.
#[derive(Clone, Copy, Debug)]
pub(super) struct Files(pub(super) &'static [(&'static str, &'static [u8])]);

/// One of them.
#[derive(Clone, Copy, Debug)]
pub(super) struct File {
    name: &'static str,
    pub(super) bytes: &'static [u8],
}

/// What there is instead of a page.
const HINT: &[u8] = include_bytes!("unbuilt.html");

impl Files {
    /// Those that there were when this program was built.
    pub(super) const BUILT: Self = Self(include!(concat!(env!("OUT_DIR"), "/page.in")));

    pub(super) fn find(self, path: &str) -> Option<File> {
        let name = match path.strip_prefix('/')? {
            "" => "index.html",
            name => name,
        };
        let found = self.0.iter().find(|(known, _)| *known == name);
        let found = found.map(|&(name, bytes)| File { name, bytes });
        found.or_else(|| (name == "index.html").then_some(File { name: "index.html", bytes: HINT }))
    }
}

impl File {
    pub(super) fn kind(self) -> &'static str {
        match self.name.rsplit_once('.').map(|(_, extension)| extension) {
            Some("html") => "text/html; charset=utf-8",
            Some("js") => "text/javascript; charset=utf-8",
            Some("css") => "text/css; charset=utf-8",
            Some("json" | "map") => "application/json",
            Some("svg") => "image/svg+xml",
            Some("png") => "image/png",
            Some("ico") => "image/x-icon",
            Some("wasm") => "application/wasm",
            Some("woff2") => "font/woff2",
            Some("txt") => "text/plain; charset=utf-8",
            Some(_) | None => "application/octet-stream",
        }
    }

    /// The build puts a hash into the names of what it puts there.
    pub(super) fn is_hashed(self) -> bool {
        self.name.starts_with("assets/")
    }
}
