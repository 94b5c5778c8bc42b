use clap::{Args, ValueEnum};
use std::{path::PathBuf, str::FromStr};

/// One picture of the console, drawn without a terminal.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Picture")]
pub struct Picture {
    /// Looks once, as `check` does, and draws the console into this file: .svg or .txt.
    #[arg(long, value_name = "FILE")]
    pub screenshot: Option<PathBuf>,
    /// How large the terminal is that is drawn.
    #[arg(long, value_name = "COLUMNSxROWS", default_value_t, requires = "screenshot")]
    pub size: PictureSize,
    /// What an .svg is drawn on.
    #[arg(long, value_name = "WHICH", default_value_t, value_enum, requires = "screenshot")]
    pub paper: PicturePaper,
}

/// What a picture is drawn on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum PicturePaper {
    /// Light on dark.
    #[default]
    Dark,
    /// Dark on light.
    Light,
}

/// Columns and rows of a terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PictureSize {
    /// From left to right.
    pub columns: u16,
    /// From top to bottom.
    pub rows: u16,
}

impl Default for PictureSize {
    fn default() -> Self {
        Self { columns: 120, rows: 40 }
    }
}

impl std::fmt::Display for PictureSize {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}x{}", self.columns, self.rows)
    }
}

impl FromStr for PictureSize {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parsed = text.split_once('x').and_then(|(columns, rows)| {
            Some(Self { columns: columns.parse().ok()?, rows: rows.parse().ok()? })
        });
        let drawn =
            |size: &Self| (8..=500).contains(&size.columns) && (1..=200).contains(&size.rows);
        parsed.filter(drawn).ok_or_else(|| "120x40 is one; 8x1 to 500x200 can be drawn".into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_is_columns_and_rows_within_what_is_drawn() {
        let size = |text: &str| text.parse::<PictureSize>();
        assert_eq!(size("80x24"), Ok(PictureSize { columns: 80, rows: 24 }));
        assert_eq!(PictureSize::default().to_string().parse(), Ok(PictureSize::default()));
        for wrong in ["", "80", "80x", "x24", "7x1", "501x40", "80x201", "80X24", "-8x1"] {
            assert!(size(wrong).unwrap_err().contains("8x1 to 500x200"), "{wrong}");
        }
    }
}
