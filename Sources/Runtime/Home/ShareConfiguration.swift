extension ShareSettings {
    /// The section `share` of a configuration.
    init(_ section: Document) throws(DocumentFault) {
        let fields = try section.fields([
            "mode", "cores", "cpuPercent", "megabits", "hours", "loadMax", "pressureMax",
        ])
        if let field = fields["mode"], !field.isNull { mode = try field.choice() }
        if let field = fields["cores"] { cores = Int(try field.number(0...256)) }
        if let field = fields["cpuPercent"] { cpuPercent = Int(try field.number(1...100)) }
        if let field = fields["megabits"] { megabits = Int(try field.number(0...100_000)) }
        if let field = fields["loadMax"] { loadMax = Int(try field.number(1...100)) }
        if let field = fields["pressureMax"] { pressureMax = Int(try field.number(1...100)) }
        guard let list = fields["hours"], !list.isNull else { return }
        for element in try list.elements(maximum: ShareSettings.hoursMax) {
            let text = try element.text()
            guard let span = DaySpan(text) else {
                throw element.fault(
                    """
                    "\(text)" isn't a part of the day; HH:MM-HH:MM is wanted, as 22:00-07:00 \
                    (no list at all means the whole day)
                    """)
            }
            hours.append(span)
        }
    }

    /// The section as `offpeak init` writes it.
    var template: String {
        """
        # What others may use of this machine. In mode idle its owner comes first: work for others
        # runs at the system's lowest priority, and is handed back within a second when the machine
        # is wanted. In mode always it has the usual priority.
        share:
          # off, idle (while nothing else wants the machine), always; null: always on a validator,
          # idle elsewhere. The duties of a validator aren't lent and have no limit here.
          mode: \(mode?.rawValue ?? "null")
          # Cores that are lent; 0 for all.
          cores: \(cores)
          # Percent of these cores' time.
          cpuPercent: \(cpuPercent)
          # Megabits a second that work for others may bring; 0 for no limit.
          megabits: \(megabits)
          # Times of the day, as ["22:00-07:00"], in local time; [] for the whole day.
          hours: [\(hours.map { "\"\($0)\"" }.joined(separator: ", "))]
          # In mode idle the machine is wanted when other programs use more than this percent of
          # all its cores...
          loadMax: \(loadMax)
          # ...or wait for processor, memory or disk for more than this percent of the time (the
          # kernel's pressure figures; a system without them is judged by its load alone).
          pressureMax: \(pressureMax)
        """
    }
}
