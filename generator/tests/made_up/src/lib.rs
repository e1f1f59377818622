//! Machines whose members and parameters are called like what generated Python uses itself, and classes that extend others.

/// What goes wrong.
#[async_proxy]
pub enum Fault {
    /// It is broken.
    #[proxy(exception = "BrokenError")]
    Broken,
}

/// "Machine" is said of many things.
#[async_proxy]
impl Machine {
    #[proxy(open)]
    pub fn start(connector: &str) -> Result<Self, Fault> {}
    /// "Says" what it is given.
    pub fn say(&self, machine: &str) -> Result<String, Fault> {}
    pub fn list(&self) -> Result<Vec<String>, Fault> {}
    pub fn int(&self, int: u8) -> Result<Vec<i64>, Fault> {}
    pub fn bytes(&self) -> Vec<u8> {}
    pub fn property(&self) -> String {}
    #[proxy(property, live)]
    pub fn speed(&self) -> i64 {}
    #[proxy(setter)]
    pub fn set_speed(&self, speed: i64) {}
    pub fn long(
        &self,
        call: &str,
        machine_with_a_long_name: &str,
        another_with_a_long_name: &str,
        list: Vec<String>,
        warnings: &str,
    ) -> Result<Vec<String>, Fault> {}
    #[deprecated(note = "say \"walk\"")]
    pub fn old(&self, warnings: &str) {}
    pub fn turn(&self) -> &Self {}
    #[proxy(lane = "side")]
    pub fn hum(&self) -> Result<String, Fault> {}
    #[proxy(child)]
    pub fn part(&self, function: &str) -> Result<Parent, Fault> {}
    #[proxy(interrupt)]
    pub fn halt(&self) {}
    #[proxy(close)]
    pub fn shut(&self) {}
}

#[async_proxy(extends = Machine)]
impl Robot {
    #[proxy(open)]
    pub fn build(name: &str) -> Result<Self, Fault> {}
    pub fn walk(&self, steps: i64) -> Result<i64, Fault> {}
    pub fn legs(&self) -> Vec<i64> {}
    pub fn step(&self) -> &Self {}
    #[proxy(child)]
    pub fn arm(&self) -> Result<Arm, Fault> {}
}

#[async_proxy]
impl Parent {
    pub fn look(&self, object: &str) -> Result<String, Fault> {}
    #[proxy(property, snapshot)]
    pub fn looked(&self) -> i64 {}
    pub fn again(&mut self) -> Result<&mut Self, Fault> {}
    #[proxy(rows)]
    pub fn next_one(&mut self) -> Option<i64> {}
    #[proxy(rows)]
    pub fn next_many(&mut self, list: usize) -> Vec<i64> {}
}

#[async_proxy(extends = Parent)]
impl Arm {
    pub fn lift(&mut self) -> Result<i64, Fault> {}
    pub fn lower(&mut self) -> Result<&mut Self, Fault> {}
}

#[async_proxy]
pub fn open_machine(lib: &str, connector: &str) -> Result<Machine, Fault> {}

#[async_proxy]
pub fn open_robot(name: &str) -> Result<Robot, Fault> {}
