//! Areas of a page and the four directions in which text runs.
//!
//! All coordinates are points from the top left corner of the page, y grows downwards.

/// An axis-parallel area.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Area {
    pub(crate) x0: f32,
    pub(crate) y0: f32,
    pub(crate) x1: f32,
    pub(crate) y1: f32,
}

impl Area {
    pub(crate) fn new(x0: f32, y0: f32, x1: f32, y1: f32) -> Area {
        Area { x0, y0, x1, y1 }
    }

    pub(crate) fn width(&self) -> f32 {
        self.x1 - self.x0
    }

    pub(crate) fn height(&self) -> f32 {
        self.y1 - self.y0
    }

    pub(crate) fn surface(&self) -> f32 {
        self.width().max(0.0) * self.height().max(0.0)
    }

    pub(crate) fn contains(&self, x: f32, y: f32) -> bool {
        x >= self.x0 && x <= self.x1 && y >= self.y0 && y <= self.y1
    }

    pub(crate) fn union(&self, other: &Area) -> Area {
        Area::new(
            self.x0.min(other.x0),
            self.y0.min(other.y0),
            self.x1.max(other.x1),
            self.y1.max(other.y1),
        )
    }

    pub(crate) fn intersection(&self, other: &Area) -> Area {
        Area::new(
            self.x0.max(other.x0),
            self.y0.max(other.y0),
            self.x1.min(other.x1),
            self.y1.min(other.y1),
        )
    }

    pub(crate) fn grown(&self, by: f32) -> Area {
        Area::new(self.x0 - by, self.y0 - by, self.x1 + by, self.y1 + by)
    }

    pub(crate) fn bounds(&self) -> [f32; 4] {
        [self.x0, self.y0, self.x1, self.y1]
    }
}

/// The direction in which text runs on the page.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Turn {
    /// Left to right.
    None,
    /// Bottom to top.
    Up,
    /// Top to bottom.
    Down,
    /// Upside down.
    Over,
}

impl Turn {
    pub(crate) const ALL: [Turn; 4] = [Turn::None, Turn::Up, Turn::Down, Turn::Over];

    /// The direction nearest to a vector, when it is within about 20° of one.
    pub(crate) fn of_vector(dx: f32, dy: f32) -> Option<Turn> {
        const SLANT: f32 = 0.36;
        if dy.abs() <= SLANT * dx.abs() {
            Some(if dx > 0.0 { Turn::None } else { Turn::Over })
        } else if dx.abs() <= SLANT * dy.abs() {
            Some(if dy < 0.0 { Turn::Up } else { Turn::Down })
        } else {
            None
        }
    }

    /// A point of a page of this size, seen with the page turned so that text of this direction
    /// reads from left to right.
    pub(crate) fn point(self, (width, height): (f32, f32), (x, y): (f32, f32)) -> (f32, f32) {
        match self {
            Turn::None => (x, y),
            Turn::Up => (height - y, x),
            Turn::Down => (y, width - x),
            Turn::Over => (width - x, height - y),
        }
    }

    /// The size of the page after turning.
    pub(crate) fn size(self, (width, height): (f32, f32)) -> (f32, f32) {
        match self {
            Turn::None | Turn::Over => (width, height),
            Turn::Up | Turn::Down => (height, width),
        }
    }

    /// Clockwise quarter turns of the page that do the same.
    pub(crate) fn quarter_turns(self) -> u8 {
        match self {
            Turn::None => 0,
            Turn::Up => 1,
            Turn::Over => 2,
            Turn::Down => 3,
        }
    }

    /// An area, turned like [`Turn::point`].
    pub(crate) fn area(self, size: (f32, f32), area: &Area) -> Area {
        let (ax, ay) = self.point(size, (area.x0, area.y0));
        let (bx, by) = self.point(size, (area.x1, area.y1));
        Area::new(ax.min(bx), ay.min(by), ax.max(bx), ay.max(by))
    }
}

#[cfg(test)]
mod tests {
    use super::{Area, Turn};

    #[test]
    fn text_that_runs_up_reads_from_left_to_right_after_turning() {
        let size = (595.0, 842.0);
        let start = Turn::Up.point(size, (100.0, 800.0));
        let end = Turn::Up.point(size, (100.0, 700.0));
        assert!(end.0 > start.0 && (end.1 - start.1).abs() < 0.01);
        assert_eq!(Turn::of_vector(0.0, -1.0), Some(Turn::Up));
        assert_eq!(Turn::of_vector(1.0, 0.02), Some(Turn::None));
        assert_eq!(Turn::of_vector(1.0, 1.0), None);
    }

    #[test]
    fn areas_turn_with_ordered_corners() {
        let area = Turn::Over.area((100.0, 100.0), &Area::new(10.0, 20.0, 30.0, 40.0));
        assert_eq!(area, Area::new(70.0, 60.0, 90.0, 80.0));
    }
}
