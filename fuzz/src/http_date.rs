//! Dates as HTTP writes them (RFC 9110, section 5.6.7), from nothing but arithmetic.

/// The last second of the year 9999, in seconds since 1970.
pub(crate) const LAST: u64 = 253_402_300_799;

/// The preferred form: `Sun, 06 Nov 1994 08:49:37 GMT`.
pub(crate) fn text(seconds: u64) -> String {
    const WEEKDAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
    const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

    let days = seconds / 86_400;
    let weekday = WEEKDAYS[(days % 7) as usize];
    let (year, day_of_year) = year_and_day(days);
    let mut day = day_of_year;
    let mut month = 0;
    while day >= length(year, month) {
        day -= length(year, month);
        month += 1;
    }
    let (month, day) = (MONTHS[month as usize], day + 1);
    let (hour, minute, second) = (seconds / 3600 % 24, seconds / 60 % 60, seconds % 60);
    format!("{weekday}, {day:02} {month} {year:04} {hour:02}:{minute:02}:{second:02} GMT")
}

/// The year and the day in it, from 0.
fn year_and_day(days: u64) -> (u64, u64) {
    let before = |year: u64| (year - 1970) * 365 + leap_days(year - 1) - leap_days(1969);
    // A year is longer than 365 days, so this is too late by a few years at most.
    let mut year = 1970 + days / 365;
    while before(year) > days {
        year -= 1;
    }
    (year, days - before(year))
}

/// How many leap years there were up to the end of this one.
fn leap_days(year: u64) -> u64 {
    year / 4 - year / 100 + year / 400
}

fn length(year: u64, month: u64) -> u64 {
    match month {
        1 => 28 + leap_days(year) - leap_days(year - 1),
        3 | 5 | 8 | 10 => 30,
        _ => 31,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rfcs_example_and_the_ends() {
        assert_eq!(text(784_111_777), "Sun, 06 Nov 1994 08:49:37 GMT");
        assert_eq!(text(0), "Thu, 01 Jan 1970 00:00:00 GMT");
        assert_eq!(text(951_782_400), "Tue, 29 Feb 2000 00:00:00 GMT");
        assert_eq!(text(LAST), "Fri, 31 Dec 9999 23:59:59 GMT");
    }
}
